"""The same key, the same answer: the claim, the work and the answer commit together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from apps.ops.errors import (
    IdempotencyInFlight,
    IdempotencyKeyMalformed,
    IdempotencyKeyReused,
)
from apps.ops.models import IdempotencyKey
from dotmac.core.models import open_sealed, seal_into

KEPT = timedelta(days=7)
FORGET_BATCH_MAX = 5_000
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Replay:
    """An answer given before."""

    status: int
    content_type: str
    headers: dict[str, str]
    body: bytes


def claim_idempotency_key(
    *, principal: str, key: str, request_hash: str
) -> IdempotencyKey | Replay:
    """A fresh claim to fill with `store_answer`, or the answer of the first time.

    Runs inside the caller's transaction, which must also do the work: when it
    rolls back, the claim goes with it and the next try works. Raises
    IdempotencyKeyReused for another request under the key, IdempotencyInFlight
    when the first one takes longer than two seconds.
    """
    assert transaction.get_connection().in_atomic_block
    if not _KEY.match(key):
        raise IdempotencyKeyMalformed(field="Idempotency-Key")
    claim = _insert(principal, key, request_hash)
    if claim is not None:
        return claim
    row = IdempotencyKey.objects.get(principal=principal, key=key)
    if row.request_hash != request_hash:
        raise IdempotencyKeyReused(field="Idempotency-Key")
    assert row.status is not None, "Claims commit only together with their answer."
    # Bytes travel as the characters of the same numbers.
    body = open_sealed(row, "body").encode("latin-1")
    return Replay(row.status, row.content_type, row.headers, body)


def _insert(principal: str, key: str, request_hash: str) -> IdempotencyKey | None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute(
                "INSERT INTO ops_idempotencykey (principal, key, request_hash,"
                " content_type, headers) VALUES (%s, %s, %s, '', '{}')"
                " ON CONFLICT (principal, key) DO NOTHING RETURNING id",
                [principal, key, request_hash],
            )
            row = cursor.fetchone()
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _LOCK_NOT_AVAILABLE:
            raise IdempotencyInFlight(retry_after_s=2) from error
        raise
    return IdempotencyKey.objects.get(pk=row[0]) if row else None


def store_answer(
    *,
    claim: IdempotencyKey,
    status: int,
    content_type: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    """Keep the answer under the claim, in the same transaction."""
    claim.status, claim.content_type = status, content_type
    claim.headers = headers
    seal_into(claim, "body", body.decode("latin-1"))
    claim.save(update_fields=["status", "content_type", "headers", "body"])


@transaction.atomic
def forget_idempotency_keys(*, now: datetime, limit: int = FORGET_BATCH_MAX) -> int:
    """Delete keys older than a week, one bounded batch."""
    old = (
        IdempotencyKey.objects.filter(created_at__lt=now - KEPT)
        .order_by("created_at")
        .values("pk")[: min(limit, FORGET_BATCH_MAX)]
    )
    return IdempotencyKey.objects.filter(pk__in=old).delete()[0]
