"""Notes, and the one timeline of a customer: paged, filtered, scoped."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import CustomerNote, NoteRevision
from apps.identity.operations import customers, notes
from apps.ops import operations as ops
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def chidi(world):
    return world.chidi.customer


@pytest.fixture
def write(world, chidi):
    def write(text, after=timedelta(hours=1), **facts):
        """A note so long after the customer was registered."""
        return identity.write_note(
            customer_id=chidi.pk, text=text, actor=world.sola.actor,
            now=world.now + after, **facts,
        )  # fmt: skip

    return write


def test_a_note_is_written_edited_pinned_and_removed(world, chidi, write):
    note = write("  calls at night \r\n often ")
    assert (note.text, note.actor_label) == ("calls at night \n often", "sola")
    step = {"note_id": note.pk, "actor": world.mina.actor, "now": NOON}

    identity.edit_note(**step, text="calls by day", pinned=True)
    identity.edit_note(**step, text="calls by day")

    before = NoteRevision.objects.get()
    assert (before.text, before.actor_label) == ("calls at night \n often", "mina")
    assert [row.pk for row in selectors.pinned_notes_of(chidi.pk)] == [note.pk]
    for _ in range(2):
        identity.remove_note(**step)
    assert CustomerNote.objects.exists() is False
    said = AuditEntry.objects.filter(subject_kind="note")
    assert [row.action for row in said.order_by("pk")] == [
        "identity.write_note",
        "identity.edit_note",
        "identity.remove_note",
    ]
    assert "calls" not in str(list(said.values()))
    with pytest.raises(NotFound):
        identity.edit_note(**step, text="x")


def test_notes_are_bounded(world, chidi, write, monkeypatch):
    monkeypatch.setattr(notes, "PINNED_MAX", 1)
    monkeypatch.setattr(notes, "NOTES_MAX", 2)
    write("one", pinned=True)
    second = write("two")
    for refused in (
        lambda: write("three"),
        lambda: write(" "),
        lambda: write("x" * 4001),
        lambda: identity.edit_note(
            note_id=second.pk, pinned=True, actor=SYSTEM, now=NOON
        ),
    ):
        with pytest.raises(InvalidInput):
            refused()
    assert CustomerNote.objects.count() == 2


def test_nobody_writes_about_a_customer_that_is_not_there():
    with pytest.raises(NotFound):
        identity.write_note(customer_id=2**40, text="x", actor=SYSTEM, now=NOON)
    assert CustomerNote.objects.exists() is False


def test_a_note_that_goes_while_its_customer_is_waited_for_is_not_edited(
    world, write, monkeypatch
):
    """Somebody else, who held the customer, took the note away."""
    note, hold = write("calls at night"), customers.locked_or_missing

    def late(customer_id):
        CustomerNote.objects.filter(pk=note.pk).delete()
        return hold(customer_id)

    monkeypatch.setattr(notes, "locked_or_missing", late)
    with pytest.raises(NotFound):
        identity.edit_note(
            note_id=note.pk, text="by day", actor=world.mina.actor, now=NOON
        )
    assert not NoteRevision.objects.exists()
    assert not AuditEntry.objects.filter(action="identity.edit_note").exists()


def test_a_note_that_somebody_else_took_away_is_not_taken_away_again(
    world, write, monkeypatch
):
    note, hold = write("calls at night"), customers.locked_or_missing

    def late(customer_id):
        CustomerNote.objects.filter(pk=note.pk).delete()
        return hold(customer_id)

    monkeypatch.setattr(notes, "locked_or_missing", late)
    identity.remove_note(note_id=note.pk, actor=world.mina.actor, now=NOON)
    assert not AuditEntry.objects.filter(action="identity.remove_note").exists()


def test_the_timeline_loses_nothing_between_pages(world, chidi, write):
    """Twelve things at one instant and some around it, in pages of five."""
    for number in range(12):
        write(f"at once {number}")
    write("later", after=timedelta(hours=2))
    identity.close_customer(
        customer_id=chidi.pk, reason="moved", actor=SYSTEM,
        now=world.now + timedelta(hours=1),
    )  # fmt: skip
    ops.send_message(
        to=chidi.email, subject="Goodbye", body="x", purpose="test", unique_key="t1",
        customer_id=chidi.pk, now=NOON,
    )  # fmt: skip
    actor = world.sola.actor

    whole, more = selectors.customer_timeline(chidi, actor=actor, limit=100)
    assert more is False
    walked, before = [], None
    for _ in range(10):
        page, more = selectors.customer_timeline(
            chidi, actor=actor, limit=5, before=before
        )
        walked += page
        if not more:
            break
        before = page[-1].place

    assert walked == whole
    assert len({entry.place for entry in whole}) == len(whole) == 16
    assert {entry.source for entry in whole} == {
        "identity.note",
        "identity.turn",
        "identity.registered",
        "ops.message",
    }
    only, _more = selectors.customer_timeline(chidi, actor=actor, limit=9, app="ops")
    assert [entry.title for entry in only] == ["Message: Goodbye"]


def test_each_reader_gets_what_his_permissions_reach(world, chidi, write):
    write("secret to customers")
    ops.send_message(
        to=chidi.email, subject="Hello", body="x", purpose="test", unique_key="t1",
        customer_id=chidi.pk, now=NOON,
    )  # fmt: skip

    def kinds(person):
        page, _more = selectors.customer_timeline(chidi, actor=person.actor, limit=50)
        return {entry.source for entry in page}

    assert "ops.message" in kinds(world.sola)
    assert kinds(world.nuru) == {"identity.note", "identity.registered"}
    assert kinds(world.chidi) == set()
    assert kinds(world.remi) == set()


def test_the_timeline_through_the_api(world, chidi, write):
    for number in range(3):
        write(f"n{number}", after=timedelta(minutes=1 + number))
    sola = world.api(world.sola)
    url = f"/api/v1/customers/{chidi.pk}/timeline"

    first = sola.get(f"{url}?page_size=2&app=identity").json()
    assert [row["detail"] for row in first["results"]] == ["n2", "n1"]
    assert first["results"][0]["kind"] == "identity.note"
    second = sola.get(first["next"]).json()
    assert [row["title"] for row in second["results"]] == ["Note", "Registered"]
    assert second["next"] is None
    for bad in ("app=robots", "app=", "kind=x", "page_size=0", "cursor=AAAA"):
        assert sola.get(f"{url}?{bad}").status_code == 400, bad
    assert world.api(world.remi).get(url).status_code == 404
    assert world.api(world.chidi).get(url).status_code == 403


def test_notes_through_the_api(world, chidi):
    sola, url = world.api(world.sola), f"/api/v1/customers/{chidi.pk}/notes"
    made = sola.post(url, {"text": "asks for IPv6"})
    assert made.status_code == 201
    one = f"{url}/{made.json()['id']}"

    changed = sola.patch(one, {"pinned": True}).json()
    assert (changed["text"], changed["pinned"]) == ("asks for IPv6", True)
    assert sola.get(f"{url}?pinned=true").json()["results"] == [changed]
    assert sola.get(f"{url}?pinned=false").json()["results"] == []
    other = f"/api/v1/customers/{world.dayo.customer.pk}/notes"
    assert sola.get(f"{other}/{made.json()['id']}").status_code == 404
    assert world.api(world.femi).patch(one, {"text": "x"}).status_code == 403
    assert sola.delete(one).status_code == 204
    assert sola.get(one).status_code == 404


def test_history_and_notes_in_the_console(world, chidi, write):
    sola = world.console(world.sola)
    hub = f"/console/customers/{chidi.pk}"

    sola.post(f"{hub}/add-note", {"text": "prefers WhatsApp", "pinned": "on"})
    for number in range(31):
        write(f"old {number}", after=timedelta(minutes=31 - number))

    page = sola.get(f"{hub}?tab=history").content.decode()
    assert page.count("prefers WhatsApp") == 2  # pinned, and in its place
    assert "old 0" in page
    older = page.split('rel="next" href="')[1].split('"')[0]
    second = sola.get(hub + older.replace("&amp;", "&")).content.decode()
    assert "Registered" in second
    assert "prefers WhatsApp" not in second
    newest = sola.get(f"{hub}?tab=history&app=x&cursor=%00").content.decode()
    assert "old 0" in newest
    note = CustomerNote.objects.filter(pinned=True).get()
    sola.post(f"/console/notes/{note.pk}/edit", {"text": "prefers calls"})
    assert "prefers WhatsApp" in sola.get(f"/console/notes/{note.pk}").content.decode()
    gone = sola.post(f"/console/notes/{note.pk}/remove", {"confirmed": "1"})
    assert gone["Location"] == hub
