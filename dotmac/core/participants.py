"""How an app above takes part in the life of a record of an app below.

identity may not import billing, yet a customer with money history must not be
deleted. Apps register callables here in `AppConfig.ready`; the owning app asks
all of them. The order of asking is the order of registration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dotmac.core.merging import Mover
from dotmac.core.personal import Keeper
from dotmac.core.refs import SubjectRef
from dotmac.core.timeline import Place, TimelineEntry, TimelineSource, merged

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from dotmac.core.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """What one app has to say about a kind of record.

    can_delete(id) returns sentences that speak against deletion, empty when
    none, and can_close(id) against closing; `timeline` are the app's sources of
    the record's history, `keeper` its part in export and erasure, `mover` in
    merging duplicates.
    """

    app: str
    can_delete: Callable[[int], list[str]] | None = None
    can_close: Callable[[int], list[str]] | None = None
    timeline: Sequence[TimelineSource] = ()
    keeper: Keeper | None = None
    mover: Mover | None = None


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


def keepers_of(kind: str) -> list[tuple[str, Keeper]]:
    """Who holds data about such a record, by the names of their apps."""
    asked = participants_of(kind)
    return [(each.app, each.keeper) for each in asked if each.keeper is not None]


def movers_of(kind: str) -> list[tuple[str, Mover]]:
    """Who hands things over when two such records become one."""
    asked = participants_of(kind)
    return [(each.app, each.mover) for each in asked if each.mover is not None]


def timeline_sources(kind: str) -> list[TimelineSource]:
    """What all apps tell of a kind of record."""
    return [source for each in participants_of(kind) for source in each.timeline]


def timeline_of(
    subject: SubjectRef,
    *,
    limit: int,
    before: Place | None = None,
    readable: Callable[[str], bool] | None = None,
    app: str = "",
) -> tuple[list[TimelineEntry], bool]:
    """A page of the record's history, newest first, and whether more follows.

    `readable(permission)` leaves out what the reader may not see, `app` all but
    one app.
    """
    sources = [
        source
        for source in timeline_sources(f"{subject.app}.{subject.kind}")
        if (not app or source.name.split(".")[0] == app)
        and (readable is None or readable(source.permission))
    ]
    return merged(sources, subject.id, limit=limit, before=before)


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
