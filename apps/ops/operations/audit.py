"""One audit row with every operation, in the operation's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.ops.models import AuditEntry
from apps.ops.models.scoped import actor_columns
from dotmac.core.actors import Actor
from dotmac.core.participants import unit_of_customer
from dotmac.core.refs import SubjectRef
from dotmac.core.telemetry import mask, request_id_var


def record(
    *,
    action: str,
    subject: SubjectRef,
    actor: Actor,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
    customer_id: int | None = None,
    unit_id: int | None = None,
) -> AuditEntry:
    """Write who did what. `changes` is {field: [before, after]} or plain facts.

    Must run inside the transaction of the operation, so that both exist or
    neither. Values whose names speak of secrets are masked.
    """
    assert transaction.get_connection().in_atomic_block
    return AuditEntry.objects.create(
        occurred_at=now,
        action=action,
        subject_app=subject.app,
        subject_kind=subject.kind,
        subject_id=subject.id,
        subject_label=subject.label[:200],
        changes=mask(_plain(changes or {})),
        customer_id=customer_id,
        unit_id=unit_id or unit_of_customer(customer_id),
        request_id=request_id_var.get(),
        address=actor.address,
        **actor_columns(actor),
    )


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values: whatever is no plain value is written as its text."""
    return {name: _plain_value(value) for name, value in changes.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return [_plain_value(inner) for inner in value]
    plain = value is None or isinstance(value, (bool, int, str))
    return value if plain else str(value)
