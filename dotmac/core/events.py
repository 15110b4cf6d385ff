"""Facts that happened, and who listens.

An event is a frozen dataclass of plain values. `ops.operations.emit` stores it
in the outbox in the transaction that makes it true; the relay calls the
handlers registered here. Handlers reload state: an event says that something
happened, never what is true now.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar

from dotmac.core.refs import SubjectRef

_REGISTRY: dict[str, type[Event]] = {}
_HANDLERS: dict[str, list[Callable[[Any], None]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact. Subclasses set `name` ("catalog.service.suspended.v1").

    `urgent`: a person or a device waits for what its handlers do, so it overtakes
    the events of other subjects.
    """

    name: ClassVar[str] = ""
    urgent: ClassVar[bool] = False

    occurred_at: datetime

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super(Event, cls).__init_subclass__(**kwargs)
        if cls.name:
            _REGISTRY[cls.name] = cls

    @property
    def subject(self) -> SubjectRef:
        """The record whose history this fact belongs to."""
        raise TypeError(f"{type(self).__name__} names no subject.")

    @property
    def customer_id(self) -> int | None:
        """The customer concerned, where there is one; fills scope columns."""
        return getattr(self, "of_customer_id", None)

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values of all fields."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }


HandlerT = TypeVar("HandlerT", bound=Callable[[Any], None])


def on(*kinds: type[Event]) -> Callable[[HandlerT], HandlerT]:
    """Register a handler. It runs inside the delivery's transaction.

    Delivery is once per acknowledged event, in commit order per subject; a
    handler that raises is tried again later, so its effects roll back whole.
    """

    def register(handler: HandlerT) -> HandlerT:
        for kind in kinds:
            _HANDLERS.setdefault(kind.name, []).append(handler)
        return handler

    return register


def handlers_of(name: str) -> list[Callable[[Any], None]]:
    return list(_HANDLERS.get(name, ()))


def unheard() -> list[str]:
    """The names of events that nobody listens to."""
    return sorted(name for name in _REGISTRY if not _HANDLERS.get(name))


def urgent() -> list[str]:
    """The names of events that somebody waits for."""
    return sorted(name for name, kind in _REGISTRY.items() if kind.urgent)


def load(name: str, data: dict[str, Any]) -> Event:
    """The event of that name; unknown fields from newer writers are dropped.

    Raises KeyError for a name that nobody registered.
    """
    kind = _REGISTRY[name]
    values = {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = _typed(_type_name(field.type), data[field.name])
    return kind(**values)


def known_events() -> list[str]:
    return sorted(_REGISTRY)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (datetime, date)) else value


def _type_name(annotation: Any) -> str:
    """ "datetime | None" whether annotations are texts or types."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    return text.removeprefix("<class '").replace("datetime.", "")


def _typed(annotation: str, value: Any) -> Any:
    if value is None:
        return None
    if annotation.startswith("datetime"):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if annotation.startswith("date") else value
