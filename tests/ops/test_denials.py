"""Refusals are in the audit log with their rule, and a storm of them is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from apps.ops import operations
from apps.ops.models import AccessDenial, AuditEntry
from dotmac.core import denials
from dotmac.core.actors import Actor, ActorKind
from dotmac.core.errors import PermissionRefused

pytestmark = [pytest.mark.integration, pytest.mark.security]
NOON = datetime(2026, 11, 23, 11, 0, 20, tzinfo=UTC)
SOLA = Actor(kind=ActorKind.STAFF, id=7, label="Sola Martins", address="198.51.100.7")


def deny(now=NOON, actor=SOLA, permission="billing.refund_payment", **facts):
    return operations.record_denial(
        actor=actor, permission=permission, now=now, **facts
    )


def denied():
    return AuditEntry.objects.filter(action="identity.access_denied").order_by("pk")


def test_a_refusal_is_told_with_its_rule(db):
    assert deny(rule="refunds-from-the-office", path="/api/v1/x", request_id="r" * 8)

    entry = denied().get()
    assert (entry.actor_id, entry.address) == (7, "198.51.100.7")
    assert entry.subject_key == "identity.user:7"
    assert entry.changes == {
        "permission": "billing.refund_payment",
        "rule": "refunds-from-the-office",
        "path": "/api/v1/x",
    }


def test_a_storm_is_two_entries_a_minute_with_its_count(db):
    assert [deny(rule=f"r{n}") for n in range(1_000)].count(True) == 1
    assert deny(permission="billing.write_off")
    assert deny(actor=Actor(kind=ActorKind.STAFF, id=8, label="Bisi"))
    assert denied().count() == 3

    assert operations.settle_denials(now=NOON + timedelta(seconds=59)) == 0
    assert operations.settle_denials(now=NOON + timedelta(minutes=2)) == 3
    assert operations.settle_denials(now=NOON + timedelta(minutes=9)) == 0
    assert denied().count() == 4
    summed = denied().last()
    assert summed.changes["times"] == 999
    assert (summed.changes["rule"], summed.actor_label) == ("r999", "Sola Martins")
    assert summed.address == "198.51.100.7"
    assert AccessDenial.objects.count() == 0


def test_the_next_minute_begins_anew(db):
    deny()
    assert deny(now=NOON + timedelta(minutes=1))
    assert denied().count() == 2


def test_the_api_records_what_it_refuses_though_the_request_rolled_back(world):
    client = world.api(world.femi)
    before = AuditEntry.objects.count()

    answer = client.post(
        "/api/v1/customers",
        {"kind": "individual", "name": "X", "email": "x@mail.example"},
        headers={"Idempotency-Key": "k" * 20, "X-Request-ID": "denied-12345678"},
    )

    assert answer.status_code == 403
    entry = denied().get()
    assert entry.actor_label == "femi"
    assert entry.changes["permission"] == "identity.create_customer"
    assert (entry.request_id, entry.changes["path"]) == (
        "denied-12345678",
        "/api/v1/customers",
    )
    assert AuditEntry.objects.count() == before + 1


def test_the_console_records_what_it_refuses(world):
    browser = world.console(world.bisi)
    assert browser.get("/console/integrity/run").status_code == 403
    assert denied().get().changes["permission"] == "ops.run_integrity"
    assert browser.get("/console/integrity/run").status_code == 403
    assert denied().count() == 1
    assert AccessDenial.objects.get().repeats == 1


def test_a_record_that_fails_does_not_change_the_answer(world, monkeypatch):
    client = world.api(world.bisi)

    def away(denial, now):
        raise DatabaseError("away")

    monkeypatch.setattr(denials, "_recorder", [away])
    assert client.get("/api/v1/audit").status_code == 403


def test_outside_a_request_a_note_is_nothing():
    denials.note(PermissionRefused(permission="x"), object())
    assert transaction.get_connection().in_atomic_block is False
