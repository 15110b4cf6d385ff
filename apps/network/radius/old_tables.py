"""The tables of another RADIUS server, read from its database while it runs.

PostgreSQL and SQLite; from MySQL the tables come as CSV. Nothing is written there:
PostgreSQL is asked in a read-only transaction, SQLite opened read-only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports.files import RADIUS_TABLES, Row, Tables

CONNECT_S = 10
_COLUMNS = {
    "radcheck": ("id", "username", "attribute", "op", "value"),
    "radreply": ("id", "username", "attribute", "op", "value"),
    "radusergroup": ("username", "groupname", "priority"),
    "radgroupcheck": ("id", "groupname", "attribute", "op", "value"),
    "radgroupreply": ("id", "groupname", "attribute", "op", "value"),
}


def read_database(url: str) -> Tables:
    """Every row of the five tables, each in the order of the server's own queries.

    URLs: postgresql://user:password@host/name, sqlite:///path. Raises MalformedText
    where it cannot be read; the message holds no password.
    """
    scheme = urlsplit(url).scheme
    readers = {
        "postgresql": _postgresql, "postgres": _postgresql, "sqlite": _sqlite,
    }  # fmt: skip
    if scheme not in readers:
        raise MalformedText(
            "The URL begins with postgresql:// or sqlite:///. Of a MySQL server give"
            " the tables as CSV files."
        )
    tables = Tables()
    try:
        for table, number, found in readers[scheme](url):
            cells = _texts(_COLUMNS[table], found)
            if cells is None:
                tables.faults.append((f"{table} row {number}", "It is no text."))
                continue
            place = f"{table} row {cells.get('id') or number}"
            tables.add(table, Row(place, cells))
    except (psycopg.Error, sqlite3.Error) as error:
        first = str(error).strip().split("\n", maxsplit=1)[0]
        raise MalformedText(f"The database cannot be read: {first}") from None
    if not tables.of("radcheck"):
        raise MalformedText("Its radcheck has no users.")
    return tables


Rows = Iterator[tuple[str, int, tuple[object, ...]]]


def _postgresql(url: str) -> Rows:
    with psycopg.connect(url, connect_timeout=CONNECT_S) as connection:
        connection.read_only = True
        for table in RADIUS_TABLES:
            columns = _COLUMNS[table]
            query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, _order(table))),
            )
            for number, cells in enumerate(connection.execute(query), 1):
                yield table, number, cells


def _sqlite(url: str) -> Rows:
    path = urlsplit(url).path.removeprefix("/")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for table in RADIUS_TABLES:
            columns, order = ", ".join(_COLUMNS[table]), ", ".join(_order(table))
            # Names of our own only.
            query = f"SELECT {columns} FROM {table} ORDER BY {order}"  # noqa: S608  # nosec B608
            for number, cells in enumerate(connection.execute(query), 1):
                yield table, number, cells


def _order(table: str) -> tuple[str, ...]:
    return ("priority",) if table == "radusergroup" else ("id",)


def _texts(
    columns: tuple[str, ...], cells: tuple[object, ...]
) -> dict[str, str] | None:
    """The cells as text; None where one is none (SQLite keeps whatever it is given)."""
    try:
        texts = [_text(cell) for cell in cells]
    except UnicodeDecodeError:
        return None
    if any("\0" in text for text in texts):
        return None
    return dict(zip(columns, texts, strict=True))


def _text(cell: object) -> str:
    if isinstance(cell, bytes):  # a column of octets (MySQL's VARBINARY, bytea)
        return cell.decode()
    return "" if cell is None else str(cell)
