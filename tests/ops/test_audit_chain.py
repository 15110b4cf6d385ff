"""The audit chain: every entry once, whoever commits when, and nobody else's hand."""

from __future__ import annotations

import os
import threading

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.ops import operations
from apps.ops.models import AuditEntry, AuditLink, AuditPending
from tests.ops.chain import INSERT, findings, rehash, write

pytestmark = [pytest.mark.integration, pytest.mark.security]


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
        ((early_id,),) = late.execute(INSERT).fetchall()
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


def test_chains_in_batches_and_stops_when_it_was_told_to(own_database, monkeypatch):
    from apps.ops.operations import chain

    operations.chain_audit()
    monkeypatch.setattr(chain, "CHAIN_BATCH_MAX", 4)
    write(10)
    assert operations.chain_audit(rounds_max=1) == 4
    assert operations.chain_audit() == 6
    assert operations.chain_audit() == 0


def test_nothing_chained_gives_no_anchor(own_database, anchors):
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        for table in ("ops_auditentry", "ops_auditlink"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        owner.execute("TRUNCATE ops_auditentry, ops_auditpending CASCADE")
    assert operations.anchor_audit(now=timezone.now()) is None
    assert not anchors.exists()


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
