"""Login attempts, from the servers' spool into rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from apps.network.enums import AttemptReason
from apps.network.models import AccessAccount, AccessAttempt, AttemptBatch, Nas
from apps.network.radius.spool import Decision
from dotmac.core.db import copy_rows

BATCH_MAX = 5_000
KEEP = timedelta(days=30)
_FORGET_MAX = 10_000


@transaction.atomic
def store_attempts(
    *, batch: str, decisions: Sequence[Decision], sample_of: int = 1, now: datetime
) -> int:
    """Write one spool file's decisions; the same batch again writes nothing."""
    _, fresh = AttemptBatch.objects.get_or_create(name=batch, defaults={"read_at": now})
    if not fresh:
        return 0
    rows = list(decisions)[:BATCH_MAX]
    accounts = _account_ids({row.login for row in rows})
    nases = _nas_ids({row.nas for row in rows})
    return copy_rows(
        AccessAttempt,
        ("decided_at", "account", "nas", "login", "mac", "accepted", "reason",
         "sample_of"),
        (
            (
                datetime.fromtimestamp(row.at, UTC),
                accounts.get(row.login),
                nases.get(row.nas),
                row.login[:253],
                row.mac[:64],
                row.accepted,
                row.reason,
                sample_of,
            )
            for row in rows
            if row.reason in AttemptReason.values
        ),
    )  # fmt: skip


def _account_ids(logins: set[str]) -> dict[str, int]:
    rows = AccessAccount.objects.active().filter(login__in=logins)
    return dict(rows.values_list("login", "pk"))


def _nas_ids(addresses: set[str]) -> dict[str, int]:
    wanted = Q()
    for address in addresses:
        wanted |= Q(address=address)
    if not addresses:
        return {}
    rows = Nas.objects.filter(wanted).values_list("address", "pk")
    return {str(address).split("/")[0]: pk for address, pk in rows}


@transaction.atomic
def forget_attempts(*, now: datetime, limit: int = _FORGET_MAX) -> int:
    """Delete attempts older than 30 days, a bounded number at a time."""
    old = AccessAttempt.objects.filter(decided_at__lt=now - KEEP).order_by("decided_at")
    ids = list(old.values_list("pk", flat=True)[: min(limit, _FORGET_MAX)])
    AttemptBatch.objects.filter(read_at__lt=now - KEEP).delete()
    return AccessAttempt.objects.filter(pk__in=ids).delete()[0]
