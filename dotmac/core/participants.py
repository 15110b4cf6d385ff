"""How an app above takes part in the life of a record of an app below.

identity may not import billing, yet a customer with money history must not be
deleted. Apps register callables here in `AppConfig.ready`; the owning app asks
all of them. The order of asking is the order of registration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dotmac.core.refs import SubjectRef

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from dotmac.core.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line in a customer's history; `permission` is what reading it takes."""

    at: datetime
    title: str
    detail: str = ""
    icon: str = "point"
    url: str = ""
    permission: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """What one app has to say about a kind of record.

    can_delete(id) returns sentences that speak against deletion, empty when
    none, and can_close(id) against closing; timeline(id, limit) returns entries, newest first; merge(from_id,
    into_id), erase(id) act inside the caller's transaction; export(id) returns
    plain data.
    """

    app: str
    can_delete: Callable[[int], list[str]] | None = None
    can_close: Callable[[int], list[str]] | None = None
    timeline: Callable[[int, int], list[TimelineEntry]] | None = None
    merge: Callable[[int, int], None] | None = None
    erase: Callable[[int], None] | None = None
    export: Callable[[int], dict[str, Any]] | None = None


_PARTICIPANTS: dict[str, dict[str, Participant]] = {}


def register(kind: str, participant: Participant) -> None:
    """Take part in records of a kind ("identity.customer"). Repeatable."""
    _PARTICIPANTS.setdefault(kind, {})[participant.app] = participant


def participants_of(kind: str) -> list[Participant]:
    return list(_PARTICIPANTS.get(kind, {}).values())


def objections_to_delete(subject: SubjectRef) -> list[str]:
    """Everything that speaks against deleting the record."""
    asked = participants_of(f"{subject.app}.{subject.kind}")
    return [
        reason
        for participant in asked
        if participant.can_delete is not None
        for reason in participant.can_delete(subject.id)
    ]


def objections_to_close(subject: SubjectRef) -> list[str]:
    """Everything that speaks against closing the record."""
    asked = participants_of(f"{subject.app}.{subject.kind}")
    return [
        reason
        for participant in asked
        if participant.can_close is not None
        for reason in participant.can_close(subject.id)
    ]


def timeline_of(
    subject: SubjectRef, *, limit: int, shows: Callable[[str], bool]
) -> list[TimelineEntry]:
    """The newest entries of all participants, newest first, that the reader may see.

    `shows` says whether a permission reaches the subject.
    """
    entries = [
        entry
        for participant in participants_of(f"{subject.app}.{subject.kind}")
        if participant.timeline is not None
        for entry in participant.timeline(subject.id, limit)
        if not entry.permission or shows(entry.permission)
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


_REACH: dict[str, Callable[[Actor, str], QuerySet[Any]]] = {}


def register_reach(kind: str, ids: Callable[[Actor, str], QuerySet[Any]]) -> None:
    """An app above tells which rows of a kind below belong to reached customers.

    network knows no customers; catalog knows whose its access accounts are.
    """
    _REACH[kind] = ids


def ids_reached(kind: str, actor: Actor, permission: str) -> QuerySet[Any] | list[int]:
    """The ids of the rows that a limited scope reaches; nobody knows: none."""
    lookup = _REACH.get(kind)
    return [] if lookup is None else lookup(actor, permission)


_UNIT_LOOKUP: list[Callable[[int], int | None]] = []


def register_unit_lookup(lookup: Callable[[int], int | None]) -> None:
    """identity tells how to find the organisation unit of a customer."""
    _UNIT_LOOKUP[:] = [lookup]


def unit_of_customer(customer_id: int | None) -> int | None:
    """The unit for scope columns of rows that carry a customer's id."""
    if customer_id is None or not _UNIT_LOOKUP:
        return None
    return _UNIT_LOOKUP[0](customer_id)
