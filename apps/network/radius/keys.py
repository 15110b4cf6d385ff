"""A rotation of keys, as far as RADIUS is concerned.

The embedded server looks at the key file before each statement. FreeRADIUS's
sessions live a minute and read `service.conf` when they begin; this writes it
anew where the configuration lies on this machine. On other machines
`write_freeradius_config` does.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import connection

from apps.network.radius import freeradius
from apps.network.radius.database import session_settings
from dotmac.core.crypto import Keyring


def hand_over(keyring: Keyring) -> None:
    """Tell the sessions that begin from now on."""
    freeradius.renew_keys(
        settings.STATE_DIR / "freeradius",
        session_settings(keyring, settings.OPERATOR_TIME_ZONE),
    )


def sessions_behind(instant: datetime) -> int | None:
    """Sessions of role radius that began before; None when it may not be seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT network_radius_sessions_behind(%s)", [instant])
        behind: int | None = cursor.fetchone()[0]
    return behind
