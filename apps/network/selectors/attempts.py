"""Finding what RADIUS decided, and how much of it is written down."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet, Sum

from apps.network.models import AccessAttempt, AttemptBatch, Nas
from apps.network.rules.addressing import parsed_address
from apps.network.rules.credentials import MalformedText, canonical_mac
from dotmac.core.actors import Actor

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """Of the last 24 hours: decisions, and lines that nobody could read in time.

    `sample_of` is one in how many is written just now of the NAS that asks most.
    """

    decided: int
    lost: int
    sample_of: int


def attempts_of_text(
    rows: QuerySet[AccessAttempt], text: str
) -> QuerySet[AccessAttempt]:
    """By a whole login, a MAC address in any spelling, a NAS by name or address."""
    wanted = Q(login=text)
    try:
        wanted |= Q(mac__in=[text, canonical_mac(text)])
    except MalformedText:
        known = Q(name=text)
        with suppress(MalformedText):
            known |= Q(address=str(parsed_address(text)))
        named = Nas.objects.filter(known).values_list("pk", flat=True).first()
        if named is not None:
            wanted |= Q(nas_id=named)
    return rows.filter(wanted)


def attempt_counts(actor: Actor, *, at: datetime) -> AttemptCounts | None:
    """For whom sees all attempts: the spool does not know whose they are."""
    if actor.is_customer or not actor.scope("network.view_session").everything:
        return None
    day = AttemptBatch.objects.filter(read_at__gt=at - DAY)
    sums = day.aggregate(decided=Sum("decided"), lost=Sum("lost"))
    most = Nas.objects.aggregate(most=Max("decisions_sample_of"))["most"]
    return AttemptCounts(sums["decided"] or 0, sums["lost"] or 0, most or 1)
