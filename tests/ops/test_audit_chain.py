"""The audit chain: every entry once, whoever commits when; every change found."""

from __future__ import annotations

import io
import json
import os
import threading

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from apps.ops import operations, selectors
from apps.ops.models import AuditCheck, AuditEntry, AuditLink, AuditPending
from dotmac.core.actors import system_actor
from dotmac.core.refs import SubjectRef

pytestmark = [pytest.mark.integration, pytest.mark.security]
ACTOR = system_actor("tests")
ENTRIES = 12


@pytest.fixture(autouse=True)
def anchors(tmp_path, settings):
    settings.AUDIT_ANCHOR_DIR = tmp_path / "anchors"
    return settings.AUDIT_ANCHOR_DIR


def write(count=1, **facts):
    with transaction.atomic():
        for number in range(count):
            operations.record(
                action=f"tests.number_{number}",
                subject=SubjectRef("tests", "lamp", number, "Lämp, 3:x"),
                actor=ACTOR,
                now=timezone.now(),
                changes={"lit": [False, True], "note": f"n {number}"},
                **facts,
            )


@pytest.fixture
def chained(own_database):
    """Some entries, chained and anchored."""
    write(ENTRIES)
    operations.anchor_audit(now=timezone.now())
    return own_database


@pytest.fixture
def owner(chained):
    """The owner of the tables, who can switch every guard off."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as found:
        for table in ("ops_auditentry", "ops_auditlink"):
            found.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield found


def findings():
    result = operations.verify_audit(now=timezone.now())
    return [(finding.kind, finding.sequence) for finding in result.findings]


def entry_at(sequence):
    return AuditLink.objects.get(sequence=sequence).pk


# Chaining -----------------------------------------------------------------------


def test_every_entry_has_one_place_and_the_chain_holds(chained):
    assert AuditPending.objects.count() == 0
    sequences = AuditLink.objects.order_by("sequence").values_list(
        "sequence", flat=True
    )
    assert list(sequences) == list(range(1, AuditEntry.objects.count() + 1))
    result = operations.verify_audit(now=timezone.now())
    assert (result.good, result.rows) == (True, len(sequences))
    assert operations.chain_audit() == 0


def test_a_transaction_that_commits_late_is_chained_late_and_once(chained):
    length = AuditLink.objects.count()
    with psycopg.connect(os.environ["DATABASE_URL"]) as late:
        ((early_id,),) = late.execute(_INSERT).fetchall()
        write()
        assert operations.chain_audit() == 1
        assert not AuditLink.objects.filter(pk=early_id).exists()
        late.commit()

    assert operations.chain_audit() == 1
    later, earlier = AuditLink.objects.order_by("-sequence")[:2]
    assert (later.pk, later.sequence) == (early_id, length + 2)
    assert earlier.pk > early_id
    assert findings() == []


def test_what_was_rolled_back_leaves_nothing(chained):
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    assert (AuditPending.objects.count(), operations.chain_audit()) == (0, 0)


def test_many_chainers_at_once_make_one_chain(chained):
    write(300)

    def chain():
        for _ in range(10):
            operations.chain_audit()
        connection.close()

    workers = [threading.Thread(target=chain) for _ in range(6)]
    for worker in workers:
        worker.start()
        write(5)
    for worker in workers:
        worker.join()
    operations.chain_audit()

    assert AuditLink.objects.count() == AuditEntry.objects.count()
    assert findings() == []


def test_a_new_month_begins_with_the_head_of_the_one_before(chained, owner):
    owner.execute("UPDATE ops_auditlink SET stream = '2001-01'")
    rehash(owner, 1)
    owner.execute("ALTER TABLE ops_auditentry ENABLE TRIGGER USER")
    write(3)
    operations.chain_audit()

    assert AuditLink.objects.exclude(stream="2001-01").count() == 3
    result = operations.verify_audit(now=timezone.now())
    # The anchor was of another month; the chain of both fits.
    assert {finding.kind for finding in result.findings} == {"cut"}
    owner.execute("DELETE FROM ops_auditlink WHERE stream = '2001-01' AND sequence > 4")
    assert ("changed", 1) in findings()


def test_the_clock_of_an_entry_is_the_databases(db):
    write()
    entry = AuditEntry.objects.latest("pk")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ops_auditentry (recorded_at, occurred_at, action, changes,"
            " request_id, address, actor_kind, actor_label, subject_app, subject_kind,"
            " subject_id, subject_label) VALUES ('2001-01-01', now(), 'x', '{}', '',"
            " '', 'system', 't', 't', 't', 1, '') RETURNING recorded_at = now()"
        )
        assert cursor.fetchone()[0] is True
    assert entry.recorded_at is not None


def test_the_hash_covers_every_column(chained):
    """A column that is added later needs a new version of the format."""
    covered = {
        "id", "recorded_at", "occurred_at", "action", "actor_kind", "actor_id",
        "actor_label", "subject_app", "subject_kind", "subject_id", "subject_label",
        "customer_id", "unit_id", "changes", "request_id", "address",
    }  # fmt: skip
    assert {field.column for field in AuditEntry._meta.concrete_fields} == covered
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('ops_audit_hash'::regproc)")
        text = cursor.fetchone()[0]
    assert all(f"e.{column}" in text for column in covered)


# The application's role -----------------------------------------------------------

AS_APP = [
    "UPDATE ops_auditentry SET action = 'x'",
    "DELETE FROM ops_auditentry",
    "TRUNCATE ops_auditentry CASCADE",
    "UPDATE ops_auditlink SET hash = 'x'",
    "DELETE FROM ops_auditlink",
    "TRUNCATE ops_auditlink",
    "INSERT INTO ops_auditlink SELECT id, '2030-01', 1, 1, sha256('x'), now()"
    " FROM ops_auditentry LIMIT 1",
    "DELETE FROM ops_auditpending",
    "INSERT INTO ops_auditpending VALUES (1)",
    "ALTER TABLE ops_auditentry DISABLE TRIGGER ALL",
    "ALTER TABLE ops_auditlink OWNER TO dotmac_app",
    "DROP TABLE ops_auditlink",
    "DROP TRIGGER ops_auditentry_awaits_chain ON ops_auditentry",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION ops_audit_hash(bytea, text, bigint, ops_auditentry)"
    " RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'",
    "SELECT ops_audit_await_chain()",
    "SET ROLE dotmac_owner",
]


@pytest.mark.parametrize("attempt", AS_APP)
def test_the_applications_role_cannot(chained, attempt):
    with (
        psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as app,
        pytest.raises(psycopg.Error) as refusal,
    ):
        app.execute(attempt)
    assert refusal.value.sqlstate == "42501", refusal.value
    assert findings() == []


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
    owner.execute(_INSERT)
    assert findings() == [("inserted", 0)]


def test_finds_two_entries_that_changed_places(owner):
    third, seventh = entry_at(3), entry_at(7)
    with owner.transaction():
        for new, old in ((-1, third), (third, seventh), (seventh, -1)):
            owner.execute(
                "UPDATE ops_auditlink SET entry_id = %s WHERE entry_id = %s", [new, old]
            )
    assert findings() == [("swapped", 3)]


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
        found = operations.check_integrity(now=timezone.now())
        return {f.invariant.name for f in found if f.offending and "audit" in
                f.invariant.name}  # fmt: skip

    assert broken() == set()
    owner.execute("UPDATE ops_auditentry SET action = 'x' WHERE id = %s", [entry_at(5)])
    owner.execute(_INSERT)
    operations.verify_audit(now=timezone.now())
    assert broken() == {
        "ops.audit_chain_fits",
        "ops.audit_entries_are_chained",
        "ops.audit_was_verified_well",
    }


_INSERT = """
    INSERT INTO ops_auditentry (recorded_at, occurred_at, action, changes, request_id,
        address, actor_kind, actor_label, subject_app, subject_kind, subject_id,
        subject_label)
    VALUES (now(), now(), 'tests.late', '{}', '', '', 'system', 't', 't', 't', 1, '')
    RETURNING id
"""


def rehash(owner, start):
    """What somebody does who knows the format and owns the tables."""
    rows = owner.execute(
        "SELECT stream, sequence, entry_id FROM ops_auditlink WHERE sequence >= %s"
        " ORDER BY sequence",
        [start],
    ).fetchall()
    for name, sequence, entry_id in rows:
        owner.execute(
            "UPDATE ops_auditlink SET hash = ops_audit_hash(coalesce("
            " (SELECT hash FROM ops_auditlink WHERE stream = %(s)s AND sequence ="
            "  %(n)s - 1), ops_audit_genesis(%(s)s, '')), %(s)s, %(n)s, a)"
            " FROM ops_auditentry a WHERE a.id = entry_id AND entry_id = %(id)s",
            {"s": name, "n": sequence, "id": entry_id},
        )
