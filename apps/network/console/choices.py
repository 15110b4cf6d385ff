"""What a form offers of records that may be many."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

CHOICES_MAX = 200


def named_choices(
    rows: QuerySet[Any], current: int | None = None, *, empty: bool = False
) -> list[tuple[str, str]]:
    """The first by name, and the one in use wherever it stands.

    Without the latter a form would offer "-" first, and saving it would take away
    what nobody wanted to change.
    """
    found = dict(rows.order_by("name").values_list("pk", "name")[:CHOICES_MAX])
    found |= dict(rows.filter(pk=current).values_list("pk", "name"))
    pairs = [(str(pk), name) for pk, name in found.items()]
    return [("", "-"), *pairs] if empty else pairs
