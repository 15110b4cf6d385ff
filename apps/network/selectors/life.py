"""Whether RADIUS is at work, told by what it does at the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.network.models import AccessAttempt

_CONNECTED = """
    SELECT count(*) FROM pg_stat_activity
     WHERE usename = %s AND datname = current_database()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusLife:
    """How many connections the RADIUS servers hold, and their latest decision."""

    connections: int
    decided_at: datetime | None


def radius_life(*, role: str) -> RadiusLife:
    """Two cheap statements; the decision is as old as the spool's last reading."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTED, [role])
        (count,) = cursor.fetchone()
    latest = AccessAttempt.objects.order_by("-pk").values_list("decided_at", flat=True)
    return RadiusLife(connections=count, decided_at=latest.first())
