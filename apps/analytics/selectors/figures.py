"""Figures, each defined once: name, unit, permission, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.billing import selectors as billing
from apps.billing.selectors import AgedReceivables
from apps.network import selectors as network

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Generic[ValueT]):
    """A figure that dashboards, reports and the API show alike."""

    name: str
    title: str | Promise
    unit: str
    permission: str
    read: Callable[..., ValueT]


def online_sessions(*, now: datetime) -> int:
    """Sessions open and heard of within three interim intervals."""
    return network.online_count(at=now)


def receivables_by_age(*, today: date) -> Sequence[AgedReceivables]:
    """What customers owe, by days past due, one row for each currency."""
    return billing.receivables_by_age(today=today)


ONLINE_SESSIONS: Metric[int] = Metric(
    name="network.online_sessions",
    title=_("Sessions on line"),
    unit="sessions",
    permission="network.view_session",
    read=online_sessions,
)
RECEIVABLES_BY_AGE: Metric[Sequence[AgedReceivables]] = Metric(
    name="billing.receivables_by_age",
    title=_("Receivables by age"),
    unit="money",
    permission="billing.view_invoice",
    read=receivables_by_age,
)


def metrics() -> dict[str, Metric[Any]]:
    """All figures by name."""
    return {one.name: one for one in (ONLINE_SESSIONS, RECEIVABLES_BY_AGE)}
