"""A login that is refused for a session has the NAS asked after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import tasks
from apps.network.models import CoaRequest, SessionLive
from apps.network.radius.database import AccessFacts, encoded
from tests.network import edge

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]


def dial(world) -> str:
    """What the RADIUS server is told: '' for let in, else why not."""
    session = edge.radius_session()
    try:
        rows = session.authorize(
            AccessFacts(
                login=encoded(world.account.login.encode()),
                nas=str(world.nas.address),
            )
        )
    finally:
        session.close()
    facts = {name: value for name, value, _op in rows}
    return facts["Tmp-String-1"] if facts.get("Auth-Type") == "Reject" else ""


def test_a_nas_that_denies_the_ghost_lets_its_owner_in():
    with edge.ScriptedNas("nak 503") as nas:
        world = edge.build(coa_port=nas.port)
        ghost = edge.start(world)
        assert dial(world) == "sessions"

        tasks.send_coa_requests()

        assert len(nas.requests) == 1
        assert nas.requests[0].code == 43  # CoA-Request: it ends nothing

    ghost.refresh_from_db()
    assert (ghost.cause, ghost.presumed_ended) == ("nas-denies", True)
    assert dial(world) == ""


@pytest.mark.parametrize("word", ["ack", "nak 401", "forged"])
def test_any_other_answer_leaves_the_session_as_it_is(word):
    with edge.ScriptedNas(word, word, word, word) as nas:
        world = edge.build(coa_port=nas.port)
        edge.start(world)
        assert dial(world) == "sessions"

        tasks.send_coa_requests()

    assert SessionLive.objects.get().stopped_at is None
    assert dial(world) == "sessions"


def test_who_dials_again_and_again_asks_twice_a_minute_at_most():
    with edge.ScriptedNas() as nas:
        world = edge.build(coa_port=nas.port)
        edge.start(world)
        for _ in range(3):
            assert dial(world) == "sessions"
            tasks.send_coa_requests()
        assert len(nas.requests) == 1

        CoaRequest.objects.update(created_at=timezone.now() - timedelta(seconds=31))
        assert dial(world) == "sessions"
        tasks.send_coa_requests()
        assert len(nas.requests) == 2


def test_every_session_that_counts_is_asked_after():
    world = edge.build(sessions_max=2)
    for name in ("one", "two"):
        edge.start(world, name)

    assert dial(world) == "sessions"

    asked = CoaRequest.objects.order_by("pk").values_list("acct_session_id", flat=True)
    assert list(asked) == ["one", "two"]
