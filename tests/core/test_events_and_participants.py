from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from dotmac.core import events, invariants, participants, permissions
from dotmac.core.actors import (
    EVERYTHING,
    NOTHING,
    Actor,
    ActorKind,
    Scope,
    system_actor,
)
from dotmac.core.errors import PermissionRefused
from dotmac.core.refs import SubjectRef
from dotmac.core.timeline import TimelineEntry, TimelineSource

pytestmark = pytest.mark.unit
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class KettleBoiled(events.Event):
    name = "tests.kettle.boiled.v1"

    kettle_id: int
    boiled_date: date
    of_customer_id: int | None = None

    @property
    def subject(self):
        return SubjectRef("tests", "kettle", self.kettle_id)


def test_an_event_survives_its_trip_as_json():
    event = KettleBoiled(occurred_at=NOON, kettle_id=3, boiled_date=date(2026, 11, 23))
    again = events.load(event.name, {**event.to_data(), "added_later": 1})
    assert again == event
    assert (event.customer_id, str(event.subject)) == (None, "tests.kettle:3")
    assert "tests.kettle.boiled.v1" in events.known_events()


def test_an_unknown_event_is_a_key_error():
    with pytest.raises(KeyError):
        events.load("tests.nobody.v1", {})


def test_an_event_without_subject_says_so():
    with pytest.raises(TypeError, match="names no subject"):
        _ = events.Event(occurred_at=NOON).subject


def test_handlers_are_called_in_the_order_of_registration():
    heard = []
    events.on(KettleBoiled)(lambda event: heard.append("first"))
    events.on(KettleBoiled)(lambda event: heard.append("second"))
    for handler in events.handlers_of(KettleBoiled.name):
        handler(None)
    assert heard == ["first", "second"]


def test_participants_are_asked_and_their_lines_sorted():
    kind = SubjectRef("tests", "kettle", 1)
    early, late = (
        TimelineEntry(at=NOON.replace(hour=hour), title=str(hour), id=hour)
        for hour in (1, 2)
    )
    told = TimelineSource(
        name="a.boil", permission="a.view_boil", entries=lambda _id, _w: [early, late]
    )
    participants.register(
        "tests.kettle",
        participants.Participant(
            app="a",
            can_delete=lambda _id: ["It is hot."],
            timeline=(told,),
        ),
    )
    participants.register("tests.kettle", participants.Participant(app="b"))
    assert participants.objections_to_delete(kind) == ["It is hot."]
    page, more = participants.timeline_of(kind, limit=5)
    assert ([entry.title for entry in page], more) == (["2", "1"], False)
    assert [entry.app for entry in page] == ["a", "a"]
    page, more = participants.timeline_of(kind, limit=1)
    assert ([entry.title for entry in page], more) == (["2"], True)
    assert participants.timeline_of(kind, limit=5, app="b") == ([], False)
    nobody, _more = participants.timeline_of(kind, limit=5, readable=lambda _p: False)
    assert nobody == []


def test_registering_again_replaces():
    invariants.register(
        invariants.Invariant(name="tests.zero", says="x", sql="SELECT 1")
    )
    invariants.register(
        invariants.Invariant(name="tests.zero", says="y", sql="SELECT 1 WHERE false")
    )
    assert [i.says for i in invariants.all_invariants() if i.name == "tests.zero"] == [
        "y"
    ]


def test_permissions_are_known_by_their_full_name():
    permissions.declare("tests", boil_kettle="Boil.")
    assert permissions.is_declared("tests.boil_kettle")
    assert permissions.catalogue()["tests.boil_kettle"] == "Boil."


def test_scopes_add_up_and_default_to_nothing():
    actor = Actor(
        kind=ActorKind.STAFF,
        id=1,
        label="Ada",
        scopes={"a.view": Scope(unit_ids=frozenset({1}))},
    )
    assert actor.may("a.view") is True
    assert actor.may("a.change") is False
    assert actor.require("a.view").unit_ids == {1}
    with pytest.raises(PermissionRefused):
        actor.require("a.change")
    assert system_actor("beat").scope("anything") is EVERYTHING
    assert (NOTHING | Scope(customer_ids=frozenset({2}))).customer_ids == {2}
    assert bool(NOTHING) is False
    assert actor.is_customer is False
