"""Login attempts, from the servers' spool into rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from apps.network.enums import AttemptReason, HoldReason
from apps.network.models import AccessAccount, AccessAttempt, AttemptBatch, Nas
from apps.network.radius.spool import Decision
from apps.network.rules.credentials import MalformedText, canonical_mac
from apps.network.rules.sampling import eased, sample_rates
from dotmac.core.db import copy_rows

BATCH_MAX = 5_000
KEEP = timedelta(days=30)
_FORGET_MAX = 10_000
# After so long without a written decision, a NAS's storm is over.
WHOLE_AFTER = timedelta(minutes=3)
# A NAS whose decisions nobody has read for so long has a thousandth of them written.
READ_FOR = timedelta(minutes=15)
_RENEW = timedelta(minutes=10)


@transaction.atomic
def store_attempts(
    *, batch: str, decisions: Sequence[Decision], sample_of: int = 1, now: datetime
) -> int:
    """Write one spool file's decisions; the same batch again writes nothing."""
    rows = list(decisions)[:BATCH_MAX]
    decided = sample_of * sum(row.sample_of for row in rows)
    _, fresh = AttemptBatch.objects.get_or_create(
        name=batch, defaults={"read_at": now, "decided": decided}
    )
    if not fresh:
        return 0
    accounts = _account_ids({row.login for row in rows})
    nases = _nas_ids({row.nas for row in rows})
    return copy_rows(
        AccessAttempt,
        ("decided_at", "account", "nas", "login", "mac", "accepted", "reason",
         "hold_reason", "sample_of", "took_us"),
        (
            (
                datetime.fromtimestamp(row.at, UTC),
                row.account or accounts.get(row.login),
                nases.get(row.nas),
                row.login[:253],
                _device(row.mac),
                row.accepted,
                row.reason,
                row.hold if row.hold in HoldReason.values else "",
                sample_of * row.sample_of,
                row.took_us,
            )
            for row in rows
            if row.reason in AttemptReason.values
        ),
    )  # fmt: skip


@transaction.atomic
def note_lost_attempts(*, batch: str, lost: int, now: datetime) -> None:
    """Say that a spool file went unread with so many lines; once for each file."""
    AttemptBatch.objects.get_or_create(
        name=batch, defaults={"read_at": now, "decided": lost, "lost": lost}
    )


@transaction.atomic
def set_attempt_sampling(
    *, decisions: Sequence[Decision] | None, sample_of: int = 1, now: datetime
) -> int:
    """Tell RADIUS how many decisions of each NAS to write, by those of one minute.

    Together no more than are kept of a minute; a NAS that asks little is written
    whole. The rate rises at once and falls by half. `None` for no news: it falls once
    nothing was written for minutes. Returns how many NASes have another rate now, and
    says in any case that somebody reads.
    """
    alive = Q(decisions_read_until=None) | Q(decisions_read_until__lt=now + _RENEW)
    stale = list(Nas.objects.locked().filter(alive).values_list("pk", flat=True))
    Nas.objects.filter(pk__in=stale).update(decisions_read_until=now + READ_FOR)
    if decisions is None:
        if AttemptBatch.objects.filter(read_at__gt=now - WHOLE_AFTER).exists():
            return 0
        decisions = ()
    counted: Counter[str] = Counter()
    for row in decisions:
        counted[row.nas] += sample_of * row.sample_of
    return _write_rates(sample_rates(counted, wanted=BATCH_MAX))


def _write_rates(needed: Mapping[str, int]) -> int:
    busy = [address for address, rate in needed.items() if rate > 1]
    rows = Nas.objects.locked().filter(
        Q(decisions_sample_of__gt=1) | Q(pk__in=_nas_ids(set(busy)).values())
    )
    changed = 0
    for nas in rows:
        rate = eased(nas.decisions_sample_of, needed.get(str(nas.address), 1))
        if rate != nas.decisions_sample_of:
            Nas.objects.filter(pk=nas.pk).update(decisions_sample_of=rate)
            changed += 1
    return changed


def _device(mac: str) -> str:
    """In one spelling, so that it can be found; else as the NAS said it."""
    try:
        return canonical_mac(mac)
    except MalformedText:
        return mac[:64]


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
