"""Refusals for want of a permission, remembered at the edge.

Where a refusal is turned into an answer, a transaction of the request may still
be open and about to be rolled back. The edge notes it; the outermost middleware
has it recorded when all of that is over. ops registers the recorder.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from dotmac.core.actors import Actor
from dotmac.core.errors import PermissionRefused

log = structlog.get_logger(__name__)
NOTED_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Who was refused what, and by which rule (empty: nobody granted it)."""

    actor: Actor
    permission: str
    rule: str = ""
    path: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


Recorder = Callable[[Denial, datetime], None]
_recorder: list[Recorder] = []
_noted: ContextVar[list[Denial] | None] = ContextVar("denials", default=None)


def register_recorder(recorder: Recorder) -> None:
    """Repeatable."""
    _recorder[:] = [recorder]


def note(refusal: PermissionRefused, request: Any) -> None:
    """Remember a refusal of this request; harmless outside one."""
    noted = _noted.get()
    actor = getattr(request, "actor", None)
    if noted is None or actor is None or len(noted) >= NOTED_MAX:
        return
    noted.append(
        Denial(
            actor=actor,
            permission=str(refusal.facts.get("permission", "")),
            rule=str(refusal.facts.get("rule", "")),
            path=str(getattr(request, "path", ""))[:200],
        )
    )


class DenialMiddleware:
    """Has what was noted recorded, in a transaction of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        noted: list[Denial] = []
        token = _noted.set(noted)
        try:
            response = self.get_response(request)
        finally:
            _noted.reset(token)
        for denial in noted:
            _record(denial)
        return response


def _record(denial: Denial) -> None:
    """The answer stands, whether or not the database takes the record."""
    try:
        for recorder in _recorder:
            recorder(denial, timezone.now())
    except DatabaseError as error:
        log.error(  # noqa: TRY400 - one line, no trace
            "denial_not_recorded",
            permission=denial.permission,
            actor=denial.actor.label,
            error=type(error).__name__,
        )
