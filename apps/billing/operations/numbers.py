"""Legal numbers without gaps."""

from __future__ import annotations

from django.db import connection, transaction

from apps.billing.enums import SeriesKind

NUMBERS_MAX = 10_000


@transaction.atomic
def take_numbers(*, kind: SeriesKind, year: int, count: int = 1) -> int:
    """The first of `count` consecutive numbers.

    Holds the series until commit, so take numbers last: a rollback gives them
    back, and everybody else waits meanwhile.
    """
    assert 1 <= count <= NUMBERS_MAX
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_numberseries AS s (kind, year, next_value)"
            " VALUES (%s, %s, 1 + %s) ON CONFLICT (kind, year)"
            " DO UPDATE SET next_value = s.next_value + %s RETURNING next_value - %s",
            [kind.value, year, count, count, count],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def reference_of(*, kind: SeriesKind, year: int, number: int) -> str:
    """What people read: INV-2026-000045."""
    return f"{kind.label}-{year}-{number:06d}"
