"""What the tables' owner does behind the guards is found, and named."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from psycopg import sql

from apps.ops import operations, selectors
from apps.ops.models import AuditCheck, AuditEntry, AuditLink
from tests.ops.chain import INSERT, entry_at, findings, rehash, write
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.security]


# The owner ------------------------------------------------------------------------


def test_finds_an_edit(owner):
    owner.execute(
        "UPDATE ops_auditentry SET actor_label = 'Nobody' WHERE id = %s", [entry_at(5)]
    )
    assert findings() == [("changed", 5)]


@pytest.mark.parametrize("column", ["customer_id", "unit_id", "actor_id"])
def test_finds_a_number_where_there_was_none(owner, column):
    statement = sql.SQL("UPDATE ops_auditentry SET {} = 0 WHERE id = %s")
    owner.execute(statement.format(sql.Identifier(column)), [entry_at(5)])
    assert findings() == [("changed", 5)]


def test_finds_an_entry_that_was_deleted(owner):
    name = owner.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'f'"
        " AND conrelid = 'ops_auditlink'::regclass"
    ).fetchone()[0]
    owner.execute(f"ALTER TABLE ops_auditlink DROP CONSTRAINT {name}")
    owner.execute("DELETE FROM ops_auditentry WHERE id = %s", [entry_at(4)])
    assert findings() == [("deleted", 4)]


def test_finds_an_entry_that_was_deleted_with_its_link(owner):
    entry = entry_at(4)
    owner.execute("DELETE FROM ops_auditlink WHERE entry_id = %s", [entry])
    owner.execute("DELETE FROM ops_auditentry WHERE id = %s", [entry])
    assert findings() == [("gap", 4)]


def test_finds_the_last_link_of_a_page_that_was_deleted(owner, monkeypatch):
    from apps.ops.operations import verification

    monkeypatch.setattr(verification, "PAGE_MAX", 4)
    owner.execute("DELETE FROM ops_auditlink WHERE sequence = 4")
    assert findings()[0] == ("gap", 4)
    owner.execute("DELETE FROM ops_auditlink WHERE sequence BETWEEN 5 AND 8")
    assert ("gap", 5) in findings()


def test_finds_an_entry_that_was_slipped_in(owner):
    owner.execute(INSERT)
    assert findings() == [("inserted", 0)]


def test_finds_two_entries_that_changed_places(owner):
    third, seventh = entry_at(3), entry_at(7)
    with owner.transaction():
        for new, old in ((-1, third), (third, seventh), (seventh, -1)):
            owner.execute(
                "UPDATE ops_auditlink SET entry_id = %s WHERE entry_id = %s", [new, old]
            )
    assert findings() == [("swapped", 3)]


def test_two_edits_are_not_taken_for_a_swap(owner):
    for sequence in (5, 8):
        owner.execute(
            "UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [entry_at(sequence)]
        )
    assert findings()[0] == ("changed", 5)


def test_finds_a_tail_that_was_written_anew(owner):
    owner.execute("UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [entry_at(6)])
    rehash(owner, 6)
    assert findings() == [("rewritten", 1)]


def test_a_rewritten_tail_is_narrowed_by_the_anchors_before(owner):
    for table in ("ops_auditentry", "ops_auditlink"):
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    write(4)
    operations.anchor_audit(now=timezone.now())
    top = AuditLink.objects.count()
    owner.execute("ALTER TABLE ops_auditentry DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE ops_auditlink DISABLE TRIGGER USER")
    owner.execute(
        "UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [entry_at(top - 1)]
    )
    rehash(owner, top - 1)
    assert findings() == [("rewritten", top - 3)]


def test_finds_a_tail_that_was_cut(owner):
    top = AuditLink.objects.count()
    owner.execute("DELETE FROM ops_auditlink WHERE sequence > %s", [top - 3])
    owner.execute(
        "DELETE FROM ops_auditentry a WHERE NOT EXISTS"
        " (SELECT FROM ops_auditlink l WHERE l.entry_id = a.id)"
    )
    assert findings() == [("cut", top - 2)]


def test_finds_a_chain_of_which_nothing_is_left(owner):
    owner.execute("DELETE FROM ops_auditlink")
    owner.execute("DELETE FROM ops_auditentry")
    assert findings() == [("cut", 1)]


# Anchors --------------------------------------------------------------------------


def test_an_anchor_is_signed_and_the_same_head_has_one(chained, anchors):
    operations.anchor_audit(now=timezone.now())
    (path,) = anchors.glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["sequence"] == AuditLink.objects.count()
    assert AuditCheck.objects.filter(kind="anchored").count() == 1


@pytest.mark.parametrize(
    "field", ["sequence", "hash", "anchored_at", "signature", "kid"]
)
def test_finds_an_anchor_that_was_changed(chained, anchors, field):
    (path,) = anchors.glob("*.json")
    facts = json.loads(path.read_text())
    facts[field] = {"sequence": 3, "hash": "00" * 32, "signature": "AAAA"}.get(
        field, "2026-01-01T00:00:00+00:00"
    )
    path.write_text(json.dumps(facts))
    assert [kind for kind, _ in findings()] == ["anchor"]


def test_finds_a_file_that_is_no_anchor(chained, anchors):
    (path,) = anchors.glob("*.json")
    path.write_text(json.dumps({"sequence": 3}))
    assert [kind for kind, _ in findings()] == ["anchor"]


def test_finds_an_anchor_that_was_taken_away(chained, anchors):
    for _ in range(2):
        write()
        operations.anchor_audit(now=timezone.now())
    (anchors / "00000002.json").unlink()
    assert [kind for kind, _ in findings()] == ["anchor"]


# The commands and the states ------------------------------------------------------


def test_the_command_names_the_first_bad_row_and_exits_1(owner):
    out = io.StringIO()
    call_command("audit_verify", stdout=out)
    assert "The chain holds" in out.getvalue()

    entry = entry_at(5)
    owner.execute("UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [entry])
    out = io.StringIO()
    with pytest.raises(CommandError, match="not what was recorded"):
        call_command("audit_verify", stdout=out)
    assert f"CHANGED: Entry {entry} at 5 of" in out.getvalue()
    check = selectors.latest_verification()
    assert check is not None
    assert check.good is False


def test_each_entry_says_where_it_stands(owner):
    call_command("audit_verify", stdout=io.StringIO())
    ids = list(AuditLink.objects.order_by("sequence").values_list("pk", flat=True))
    assert {s.word for s in selectors.chain_states(ids).values()} == {"verified"}

    owner.execute("UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [ids[2]])
    owner.execute("ALTER TABLE ops_auditentry ENABLE TRIGGER USER")
    write()
    waiting = AuditEntry.objects.latest("pk").pk
    assert waiting not in selectors.chain_states([waiting])
    operations.chain_audit()
    states = selectors.chain_states([*ids, waiting])
    assert states[ids[2]].word == "broken"
    assert (states[ids[3]].word, states[waiting].word) == ("verified", "chained")


def test_the_invariants_notice(owner):
    def broken():
        found = operations.check_integrity(actor=SYSTEM, now=timezone.now())
        return {f.invariant.name for f in found if f.offending and "audit" in
                f.invariant.name}  # fmt: skip

    assert broken() == set()
    owner.execute("UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [entry_at(5)])
    owner.execute(INSERT)
    operations.verify_audit(now=timezone.now())
    assert broken() == {
        "ops.audit_chain_fits",
        "ops.audit_entries_are_chained",
        "ops.audit_was_verified_well",
    }
