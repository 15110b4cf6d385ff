"""Whether RADIUS is at work, told by what it does at the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection

from apps.network.models import AccessAttempt
from apps.network.radius import buffer

_CONNECTED = """
    SELECT count(*) FROM pg_stat_activity
     WHERE usename = %s AND datname = current_database()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusLife:
    """How many connections the RADIUS servers hold, and their latest decision."""

    connections: int
    decided_at: datetime | None


def accounting_waits_since(folder: Path) -> int | None:
    """When the oldest accounting came that is not in the database yet, in seconds since
    1970; None when all is there. Raises OSError when the folder cannot be read."""
    return buffer.queue(folder).oldest_at


def radius_life(*, role: str) -> RadiusLife:
    """Two cheap statements; the decision is as old as the spool's last reading."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTED, [role])
        (count,) = cursor.fetchone()
    latest = AccessAttempt.objects.order_by("-pk").values_list("decided_at", flat=True)
    return RadiusLife(connections=count, decided_at=latest.first())
