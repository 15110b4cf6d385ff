"""The database and its roles: the superuser's only work.

`dotmac_owner` owns tables and functions and migrates; `dotmac_app` is the web's
and the workers' role; `radius` may execute three functions. PUBLIC gets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

DATABASE = "dotmac"
OWNER, APP, RADIUS = "dotmac_owner", "dotmac_app", "radius"
ROLES = (OWNER, APP, RADIUS)
EXTENSIONS = ("pgcrypto", "btree_gist", "pg_trgm", "pg_stat_statements")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three roles find the database."""

    app: str
    owner: str
    radius: str


def with_role(url: str, role: str, password: str, database: str = "") -> str:
    """The same server's address for another role (and database)."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    who = f"{quote(role, safe='')}:{quote(password, safe='')}"
    path = f"/{database}" if database else parts.path
    return urlunsplit((parts.scheme, f"{who}@{host}", path, parts.query, ""))


def bootstrap(
    superuser_url: str, passwords: Mapping[str, str], database: str = DATABASE
) -> Addresses:
    """Roles, database, extensions and rights; running it again changes nothing.

    `passwords` has one for each of ROLES; they are set anew every time, so the
    files that hold them are right whatever was there before.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        make_roles(connection, passwords)
        make_database(connection, database)
    inside = with_database(superuser_url, database)
    with psycopg.connect(inside, autocommit=True) as connection:
        grant_rights(connection, database)
    app, owner, radius = (
        with_role(inside, role, passwords[role]) for role in (APP, OWNER, RADIUS)
    )
    return Addresses(app=app, owner=owner, radius=radius)


def with_database(url: str, database: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def make_roles(
    connection: psycopg.Connection[tuple[object, ...]], passwords: Mapping[str, str]
) -> None:
    """The three roles, with no power but to sign in."""
    rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
    known = {row[0] for row in rows}
    for role in ROLES:
        verb = "ALTER" if role in known else "CREATE"
        statement = sql.SQL(
            verb + " ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}"
        )
        connection.execute(
            statement.format(sql.Identifier(role), sql.Literal(passwords[role]))
        )


def make_database(
    connection: psycopg.Connection[tuple[object, ...]], database: str
) -> None:
    """The database, owned by the role that migrates."""
    found = connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", [database]
    ).fetchone()
    if not found:
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
        connection.execute(
            statement.format(sql.Identifier(database), sql.Identifier(OWNER))
        )


def grant_rights(
    connection: psycopg.Connection[tuple[object, ...]], database: str
) -> None:
    """What each role may do, for what is there and for what migrations make.

    A database has its default rights for new tables from here, so a migration
    needs to say only where the application's role gets less.
    """
    for extension in EXTENSIONS:
        statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public")
        connection.execute(statement.format(sql.Identifier(extension)))
    names = {
        "database": sql.Identifier(database),
        "owner": sql.Identifier(OWNER),
        "app": sql.Identifier(APP),
        "radius": sql.Identifier(RADIUS),
    }
    for line in _RIGHTS:
        connection.execute(sql.SQL(line).format(**names))
    # Search by similarity is the application's; encryption functions are not.
    rows = connection.execute(_FUNCTIONS_OF, ["pg_trgm"]).fetchall()
    functions = ", ".join(str(row[0]) for row in rows)
    if functions:
        connection.execute(f"GRANT EXECUTE ON FUNCTION {functions} TO {APP}".encode())


_FUNCTIONS_OF = """
SELECT p.oid::regprocedure::text FROM pg_proc p
  JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid
 WHERE e.extname = %s
"""

_RIGHTS = (
    "ALTER DATABASE {database} OWNER TO {owner}",
    "ALTER SCHEMA public OWNER TO {owner}",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO {app}, {radius}",
    "GRANT USAGE ON SCHEMA public TO {app}, {radius}",
    "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {owner} WITH GRANT OPTION",
    "GRANT pg_read_all_stats TO {owner}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner}"
    " REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    " GRANT USAGE, SELECT ON SEQUENCES TO {app}",
)
