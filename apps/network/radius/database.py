"""How role radius reaches PostgreSQL: its functions, one statement a packet."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

from dotmac.core.crypto import Keyring, session_options

# Attribute, value and op of an answer.
Row: TypeAlias = tuple[str, str, str]
Values: TypeAlias = tuple[str, ...] | Mapping[str, str]

STATEMENT_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 3
# A host that went dark without a word holds up a statement no longer than that.
SILENT_HOST_MS = 6_000
DEFAULT_PORT = 5432
# Of the URL's query, what libpq reads from the environment as PG….
_TLS_SETTINGS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
_WHICH_HOST = "target_session_attrs"

# What a person may have typed travels in base64, as in FreeRADIUS's queries.
_AUTHORIZE = """
SELECT attribute, value, op FROM radius_access_request(
    %(login)s, %(nas)s::inet, %(mac)s, %(port_id)s, %(port)s, %(circuit)s, %(remote)s,
    %(called)s, %(kind)s, %(client)s)
"""
_ACCOUNT = """
SELECT radius_accounting_request(
    %(status)s, %(login)s, %(nas)s::inet, %(session)s, %(address)s, %(mac)s, %(port_id)s,
    %(port)s, %(klass)s, %(event)s, %(delay)s, %(seconds)s, %(octets_in)s, %(giga_in)s,
    %(octets_out)s, %(giga_out)s, %(cause)s, %(received)s, %(ipv6)s, %(prefix)s,
    %(delegated)s, %(circuit)s, %(called)s, %(client)s)
"""
_CLIENT = (
    "SELECT secret, require_message_authenticator, shortname"
    " FROM radius_clients(%s::inet)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusDatabase:
    """Where the database is and who asks; never printed with the password.

    Of several hosts (`host:port,host:port` in the URL) the first one counts on which
    `target_session_attrs` holds: with `read-write`, the default for several, the one
    that is no standby.
    """

    hosts: tuple[tuple[str, int], ...]
    name: str
    user: str
    password: str
    tls: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_url(cls, url: str) -> RadiusDatabase:
        """Raises ValueError when a port is no number."""
        parts = urlsplit(url)
        hosts = tuple(map(_host, parts.netloc.rpartition("@")[2].split(",")))
        options = dict(parse_qsl(parts.query))
        if len(hosts) > 1:
            options.setdefault(_WHICH_HOST, "read-write")
        return cls(
            hosts=hosts,
            name=unquote(parts.path.lstrip("/")),
            user=unquote(parts.username or "radius"),
            password=unquote(parts.password or ""),
            tls=tuple(
                (name, value)
                for name, value in options.items()
                if name in (*_TLS_SETTINGS, _WHICH_HOST)
            ),
        )

    def __repr__(self) -> str:
        where = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"RadiusDatabase({self.user}@{where}/{self.name})"

    @property
    def host(self) -> str:
        """All of them, as libpq takes them."""
        return ",".join(host for host, _ in self.hosts)

    @property
    def port(self) -> str:
        """One for each host, as libpq takes them."""
        return ",".join(str(port) for _, port in self.hosts)

    def pgpass(self) -> str:
        """A password file, a line for each host; libpq wants `:` and `\\` escaped."""
        who = (self.name, self.user, self.password)
        lines = ((host, str(port), *who) for host, port in self.hosts)
        return "\n".join(":".join(map(_escaped, fields)) for fields in lines)


def _host(text: str) -> tuple[str, int]:
    """Host and port of one place of a URL, `[::1]:5432` included."""
    place = urlsplit(f"//{text}")
    return unquote(place.hostname or "127.0.0.1"), place.port or DEFAULT_PORT


def _escaped(field: str) -> str:
    return field.replace("\\", "\\\\").replace(":", "\\:")


def session_settings(keyring: Keyring, time_zone: str) -> str:
    """PGOPTIONS of every session of role radius, whichever server it is.

    A statement that waits for a lock gives up: silence, and the NAS asks again.
    """
    return (
        f"{session_options(keyring)} -cdotmac.time_zone={time_zone}"
        f" -cstatement_timeout={STATEMENT_TIMEOUT_MS}"
        # Look-ups by unique keys: planning them for each packet gains nothing.
        " -cplan_cache_mode=force_generic_plan"
        # And those plans are made while the tables are still empty: read as a whole,
        # they would be for as long as the session lasts, in the middle of a storm.
        " -cenable_seqscan=off"
        # Nor is a bitmap of one row worth being made.
        " -cenable_bitmapscan=off"
    )


def encoded(value: bytes) -> str:
    """Bytes of a packet on their way to radius_text()."""
    return base64.b64encode(value).decode()


@dataclass(frozen=True, slots=True)
class Client:
    """A NAS that may ask, and the name that radius_clients() gives it."""

    secret: bytes
    require_message_authenticator: bool
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFacts:
    """What an Access-Request says; the type radius_request explains the fields.

    login, mac, port_id, circuit, remote and called are `encoded`, the rest is text;
    what is absent is ''. So it is in AccountingFacts, with session and klass.
    """

    login: str
    nas: str
    mac: str = ""
    port_id: str = ""
    port: str = ""
    circuit: str = ""
    remote: str = ""
    called: str = ""
    kind: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountingFacts:
    """What an Accounting-Request says, for radius_accounting()."""

    status: str
    login: str
    nas: str
    session: str
    address: str = ""
    mac: str = ""
    port_id: str = ""
    port: str = ""
    klass: str = ""
    event: str = ""
    delay: str = ""
    seconds: str = ""
    octets_in: str = ""
    giga_in: str = ""
    octets_out: str = ""
    giga_out: str = ""
    cause: str = ""
    # When it reached us, in seconds since 1970, if that is not now.
    received: str = ""
    ipv6: str = ""
    prefix: str = ""
    delegated: str = ""
    circuit: str = ""
    called: str = ""
    client: str = ""


def _named(facts: AccessFacts | AccountingFacts) -> dict[str, str]:
    return {name: getattr(facts, name) for name in facts.__slots__}


class RadiusSession:
    """One connection as role radius, made when needed and again when lost.

    `options` gives the session's settings of the moment: when they change (a key
    was added), the next statement is asked on a new connection. Every method raises psycopg.Error when PostgreSQL does not answer; the
    server then says nothing, which makes the NAS ask the next one.
    """

    def __init__(self, database: RadiusDatabase, options: Callable[[], str]) -> None:
        self._database = database
        self._options = options
        self._told = ""
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def client(self, address: str) -> Client | None:
        rows = self._rows(_CLIENT, (address,))
        return Client(rows[0][0].encode(), *rows[0][1:]) if rows else None

    def authorize(self, facts: AccessFacts) -> list[Row]:
        """Attribute, value and op, as radius_authorize() explains them."""
        rows = self._rows(_AUTHORIZE, _named(facts))
        return [(name, value, op) for name, value, op in rows]

    def account(self, facts: AccountingFacts) -> bool:
        """True when the packet is to be answered."""
        return bool(self._rows(_ACCOUNT, _named(facts)))

    def ask_status(self) -> None:
        """Ask nothing: that an answer comes is what it is about."""
        self._rows("SELECT 1", ())

    def ask_accounting_status(self) -> None:
        """The same, for whoever can take accounting."""
        self.ask_status()

    def account_all(self, many: Sequence[AccountingFacts]) -> None:
        """All of them or none, in one transaction and few round trips.

        Raises psycopg.Error, on a connection that had died as well.
        """
        with self._lock:
            connection = self._current()
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(_ACCOUNT, [_named(facts) for facts in many])

    def forget_when_stale(self) -> None:
        """Close the connection if its settings are old; not while it is at work.

        For a thread beside the one that uses the session.
        """
        if self._told == self._options() or not self._lock.acquire(blocking=False):
            return
        try:
            self.close()
        finally:
            self._lock.release()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        """Run one statement; on a connection that had died, once more."""
        with self._lock:
            return self._ask(statement, values)

    def _ask(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        connection = self._current()
        try:
            return connection.execute(statement, values).fetchall()
        except psycopg.OperationalError:
            if not connection.closed:
                raise
        return self._current().execute(statement, values).fetchall()

    def _current(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection, a new one where it was closed or the settings are others."""
        options, connection = self._options(), self._connection
        if connection is None or connection.closed or options != self._told:
            self.close()
            connection = self._connection = self._connect(options)
            self._told = options
        return connection

    def _connect(self, options: str) -> psycopg.Connection[tuple[Any, ...]]:
        where = self._database
        return psycopg.connect(
            host=where.host,
            port=where.port,
            dbname=where.name,
            user=where.user,
            password=where.password,
            options=options,
            connect_timeout=CONNECT_TIMEOUT_S,
            tcp_user_timeout=SILENT_HOST_MS,
            application_name="dotmac-radius",
            autocommit=True,
            **dict(where.tls),  # type: ignore[arg-type]
        )
