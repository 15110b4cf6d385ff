"""A stock FreeRADIUS: Debian's SQL schema and queries.conf, in a folder of its own.

The reference that DotMac is measured against, and the old server that an import
comes from. Its database and role are its own, its users stand in radcheck,
radreply and radusergroup as daloRADIUS would write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from apps.network.radius import freeradius
from apps.network.radius.database import RadiusDatabase
from dotmac.devtools.bootstrap import with_database, with_role
from dotmac.devtools.processes import Child
from dotmac.devtools.refusals import Refused, explain_os_error
from dotmac.devtools.servers import CLEAN, HOST, write_secret
from dotmac.settings.network import RADIUS_THREADS

TEMPLATE = Path(__file__).parent / "freeradius" / "stock.conf"
# Where distributions keep what comes with FreeRADIUS; Debian's first.
CONFIGURATIONS = (
    Path("/etc/freeradius/3.0"),
    Path("/etc/freeradius"),
    Path("/etc/raddb"),
)
_SQL = Path("mods-config", "sql", "main", "postgresql")
SCHEMA, QUERIES = _SQL / "schema.sql", _SQL / "queries.conf"
ACCOUNTING = Path("policy.d", "accounting")
# lean: the five queries of authorize. full: the count of open sessions and the row of
# radpostauth as well, as the comments of Debian's default site tell to switch on.
VARIANTS = {"lean": ("", ""), "full": ("sql", "sql")}
# The schema has no index for simul_count_query, which would read all of radacct.
_INDEX = "CREATE INDEX ON radacct (UserName) WHERE AcctStopTime IS NULL"

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class User:
    """A row each of radcheck and radusergroup, and what is the user's own in radreply."""

    login: str
    password: str
    group: str
    reply: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where it answers, and the one NAS that it answers."""

    auth_port: int
    acct_port: int
    secret: str
    nas: str = HOST
    threads: int = RADIUS_THREADS


def distributed(path: Path) -> str:
    """The text of a file that came with FreeRADIUS. Refused where it is not there."""
    for folder in CONFIGURATIONS:
        file = folder / path
        try:
            return file.read_text()
        except FileNotFoundError:
            continue
        except OSError as error:
            why = explain_os_error(error, file)
            raise Refused(f"Only root and FreeRADIUS's user read it: {why}") from error
    raise Refused(f"FreeRADIUS's own {path} is in none of its folders.")


def make_database(superuser_url: str, name: str, password: str) -> RadiusDatabase:
    """A role and a database of that name, with Debian's schema; replaces both."""
    drop_database(superuser_url, name)
    _administer(
        superuser_url,
        ("CREATE ROLE {name} LOGIN PASSWORD {password}",
         "CREATE DATABASE {name} OWNER {name} TEMPLATE template0"),
        name=sql.Identifier(name), password=sql.Literal(password),
    )  # fmt: skip
    url = with_role(with_database(superuser_url, name), name, password)
    with psycopg.connect(url) as owner:
        owner.execute(distributed(SCHEMA).encode())
        owner.execute(_INDEX)
    return RadiusDatabase.from_url(url)


def drop_database(superuser_url: str, name: str) -> None:
    """Forget both; harmless where neither is there."""
    lines = (
        "DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        "DROP ROLE IF EXISTS {name}",
    )
    _administer(superuser_url, lines, name=sql.Identifier(name))


def _administer(
    superuser_url: str, lines: Sequence[str], **names: sql.Composable
) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as admin:
        for line in lines:
            admin.execute(sql.SQL(line).format(**names))


def fill(
    database: RadiusDatabase, users: Iterable[User], groups: Mapping[str, Pairs]
) -> int:
    """Write users and the attributes of their groups; one session for each user.

    Returns how many users there are. Adds to what is there.
    """
    count = 0
    with _connected(database) as owner:
        for group, pairs in groups.items():
            _copy(owner, "radgroupcheck", [(group, "Simultaneous-Use", ":=", "1")])
            rows = [(group, name, ":=", value) for name, value in pairs]
            _copy(owner, "radgroupreply", rows)
        for some in _chunks(users):
            checks = [(u.login, "Cleartext-Password", ":=", u.password) for u in some]
            _copy(owner, "radcheck", checks)
            replies = (
                (u.login, name, ":=", value) for u in some for name, value in u.reply
            )
            _copy(owner, "radreply", replies)
            _copy(owner, "radusergroup", [(u.login, u.group, 1) for u in some])
            count += len(some)
    return count


def _chunks(users: Iterable[User], size: int = 10_000) -> Iterable[list[User]]:
    chunk: list[User] = []
    for user in users:
        chunk.append(user)
        if len(chunk) == size:
            yield chunk
            chunk = []
    yield chunk


_COLUMNS = {
    "radcheck": "UserName, Attribute, op, Value",
    "radreply": "UserName, Attribute, op, Value",
    "radgroupcheck": "GroupName, Attribute, op, Value",
    "radgroupreply": "GroupName, Attribute, op, Value",
    "radusergroup": "UserName, GroupName, priority",
}


def _copy(
    owner: psycopg.Connection[tuple[object, ...]],
    table: str,
    rows: Iterable[tuple[object, ...]],
) -> None:
    words = f"COPY {table} ({_COLUMNS[table]}) FROM STDIN"
    with owner.cursor() as cursor, cursor.copy(words.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def write_configuration(
    folder: Path, *, database: RadiusDatabase, variant: str, listen: Listen
) -> None:
    """The whole configuration of one variant; repeating it replaces the files.

    Raises Refused where FreeRADIUS with PostgreSQL is not installed.
    """
    libraries = freeradius.module_dir()
    if libraries is None:
        raise Refused("apt-get install freeradius freeradius-postgresql is needed.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    session, post_auth = VARIANTS[variant]
    values = {
        "DIR": str(folder.resolve()), "LIBDIR": str(libraries),
        "THREADS": str(listen.threads), "HOST": HOST,
        "AUTH_PORT": str(listen.auth_port), "ACCT_PORT": str(listen.acct_port),
        "NAS": listen.nas, "SECRET": listen.secret,
        "DB_HOST": database.host, "DB_PORT": str(database.port),
        "DB_USER": database.user, "DB_NAME": database.name,
        "SESSION": session, "POST_AUTH": post_auth,
    }  # fmt: skip
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    write_secret(folder / "radiusd.conf", text)
    write_secret(folder / "queries.conf", distributed(QUERIES))
    write_secret(folder / "accounting.conf", distributed(ACCOUNTING))
    write_secret(folder / "dictionary", "# Nothing beyond the distribution's.\n")
    write_secret(folder / "pgpass", database.pgpass() + "\n")


def child(folder: Path, name: str) -> Child:
    """The daemon on a configuration that was written; not started."""
    environment = {**CLEAN, "PGPASSFILE": str(folder.resolve() / "pgpass")}
    return Child(
        name,
        freeradius.run_command(folder),
        env=environment,
        log=folder / f"{name}.log",
    )


def _connected(database: RadiusDatabase) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=database.host,
        port=database.port,
        dbname=database.name,
        user=database.user,
        password=database.password,
    )
