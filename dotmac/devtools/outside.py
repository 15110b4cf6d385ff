"""Servers of one's own, by DATABASE_URL and REDIS_URL: checked, never changed
behind their administrator's back."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import redis

from dotmac.devtools import bootstrap
from dotmac.devtools.bootstrap import Addresses
from dotmac.devtools.installation import Installation
from dotmac.devtools.refusals import Refused

VERSION_MIN = 150_000


def database_addresses(
    settings: Mapping[str, str], installation: Installation
) -> Addresses:
    """The three roles' addresses on the server of DATABASE_URL.

    A superuser's address is taken as leave to make the roles, with generated
    passwords. Any other role must find everything made; the refusal has the
    lines that an administrator runs.
    """
    url = settings["DATABASE_URL"]
    owner = settings.get("DATABASE_OWNER_URL", "")
    radius = settings.get("RADIUS_DATABASE_URL", "")
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            _check_version(connection)
            if _is_superuser(connection) and not (owner or radius):
                return _make_all(url, connection, installation)
        with psycopg.connect(owner or url, connect_timeout=10) as connection:
            _check_extensions(connection)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[0]
        raise Refused(f"DATABASE_URL: no connection ({said}).") from error
    if not radius:
        raise Refused(
            "RADIUS needs its own role on that server: run\n"
            "    CREATE ROLE radius LOGIN PASSWORD '…';\n"
            "    GRANT CONNECT ON DATABASE … TO radius; "
            "GRANT USAGE ON SCHEMA public TO radius;\n"
            "and set RADIUS_DATABASE_URL."
        )
    return Addresses(app=url, owner=owner or url, radius=radius)


def _make_all(
    url: str,
    connection: psycopg.Connection[tuple[object, ...]],
    installation: Installation,
) -> Addresses:
    """On a server that is ours alone: the same roles as on the built-in one."""
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(bootstrap.ROLES)]
    ).fetchall()
    strangers = [
        str(row[0])
        for row in rows
        if not (installation.secrets / f"database-{row[0]}").exists()
    ]
    if strangers:
        raise Refused(
            f"The server of DATABASE_URL has the role {strangers[0]} already, from "
            "another installation: set DATABASE_URL, DATABASE_OWNER_URL and "
            "RADIUS_DATABASE_URL to the addresses of dotmac_app, dotmac_owner and "
            "radius."
        )
    return bootstrap.bootstrap(
        url, role_passwords(installation), connection.info.dbname
    )


def role_passwords(installation: Installation) -> dict[str, str]:
    """The generated password of each role."""
    return {role: installation.secret(f"database-{role}") for role in bootstrap.ROLES}


def check_redis(url: str) -> str:
    """The address, once something answers there."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise Refused(f"REDIS_URL: no answer ({error}).") from error
    return url


def _check_version(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if connection.info.server_version < VERSION_MIN:
        found = connection.info.server_version // 10_000
        raise Refused(f"DATABASE_URL: PostgreSQL {found} is too old, DotMac needs 15.")


def _is_superuser(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    return connection.info.parameter_status("is_superuser") == "on"


def _check_extensions(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
    known = {row[0] for row in rows}
    lines = [
        f"CREATE EXTENSION {name};"
        for name in bootstrap.EXTENSIONS
        if name not in known
    ]
    if lines:
        text = "\n    ".join(lines)
        raise Refused(
            f"The database of DATABASE_URL lacks extensions: as its administrator, run"
            f"\n    {text}"
        )
