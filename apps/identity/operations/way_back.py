"""Somebody can always change the rules: also when people leave or lose rights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection

from apps.identity.errors import PolicyLocksOut
from apps.identity.selectors.lockout import KEYS, rules_on, somebody_could_change

_LEAVES = "Under the rules that are on, nobody could change them any more after this."


def one_at_a_time() -> None:
    """Until commit: two changes that are harmless alone may lock out together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('identity.rules'))")


@contextmanager
def keeping_a_way_back(taken: Iterable[str]) -> Iterator[None]:
    """Around taking permissions from somebody, inside the caller's transaction.

    Raises PolicyLocksOut, so that the transaction takes the change back, when
    somebody could change the rules before it and nobody could after it.
    """
    could = False
    if KEYS.intersection(taken):
        one_at_a_time()
        could = somebody_could_change(rules_on())
    yield
    if could and not somebody_could_change(rules_on()):
        raise PolicyLocksOut(_LEAVES)
