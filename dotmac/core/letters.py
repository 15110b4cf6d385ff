"""Mails whose secret is filled in when they are sent, and stored nowhere.

A message row names what fills it ("identity.link:17"); its text holds MARK. The
app that owns the secret registers how to make it from the row that it keeps, so
that neither the messages table nor a dump of it holds a link that works.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

MARK = "{link}"
Filler = Callable[[int, datetime], str | None]
_FILLERS: dict[str, Filler] = {}


class LetterOver(Exception):
    """What the mail would say is true no longer: it is not sent."""


def register(kind: str, fill: Filler) -> None:
    """`fill(id, now)` gives the text for MARK, or None when it works no more."""
    _FILLERS[kind] = fill


def filled(body: str, reference: str, *, now: datetime) -> str:
    """The text to send; raises LetterOver. Without a reference it stays as it is."""
    if not reference:
        return body
    kind, _, number = reference.partition(":")
    fill = _FILLERS.get(kind)
    text = fill(int(number), now) if fill is not None else None
    if text is None:
        raise LetterOver("The link in this message is over.")
    return body.replace(MARK, text)
