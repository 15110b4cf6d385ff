"""Temporary servers with shipped settings, and databases with generated data."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess  # nosec B404
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from dotmac.devtools import plan, servers
from dotmac.devtools.bootstrap import ROLES, Addresses, bootstrap, with_database
from dotmac.devtools.context import ROOT, Context, manage, program
from dotmac.devtools.installation import Installation, open_installation
from dotmac.devtools.processes import Child

WAIT_S = 60
_KEYS = ("django.key", "encryption.key", "jwt.key", "audit.key", "paystack.key")


@dataclass(kw_only=True)
class Site:
    """One database with everything that a program needs to work on it."""

    name: str
    context: Context
    superuser_url: str
    folder: Path

    def environment(
        self, *, owner: bool = False, radius: bool = False
    ) -> dict[str, str]:
        """What a program is told."""
        told = {
            "DATABASE_URL": True,
            "REDIS_URL": True,
            "DATABASE_OWNER_URL": owner,
            "RADIUS_DATABASE_URL": radius,
        }
        return {
            **self.context.environment(owner=owner, radius=radius),
            # One caller asks here as often as it can.
            "RATE_LIMIT_ENABLED": "false",
            # Sites share a folder, so each is told its own addresses.
            **{name: url for name, url in self.context.urls().items() if told[name]},
            "PYTHONPATH": str(ROOT),
        }

    def buffered(self) -> dict[str, str]:
        """What FreeRADIUS and the replay are told where accounting waits in `waiting`."""
        return self.environment(radius=True) | {"RADIUS_ACCOUNTING": "buffered"}

    @property
    def waiting(self) -> Path:
        """The folder in which buffered accounting waits for PostgreSQL."""
        return self.context.installation.root / "accounting"

    def manage(self, *words: str, owner: bool = False) -> str:
        """Run a management command to its end."""
        return self._run(manage(*words), owner=owner)

    def inside(self, verb: str, **facts: Any) -> Any:
        """Run a verb of tools.bench.inside in a process of its own."""
        words = [program("python"), "-m", "tools.bench.inside", verb, json.dumps(facts)]
        return json.loads(self._run(words).splitlines()[-1])

    def _run(self, words: Sequence[str], *, owner: bool = False) -> str:
        done = subprocess.run(  # nosec B603
            words,
            env=self.environment(owner=owner),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """A statement as superuser, outside a transaction."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def web(self) -> Iterator[Child]:
        """granian as start.py runs it, on the context's port."""
        entry = next(entry for entry in plan.TABLE if entry.name == "web")
        words = entry.words(self.context)
        with running("web", words, self.environment(), self.folder) as child:
            wait_for_http(f"{self.context.base_url}/health/live", child)
            yield child

    @contextmanager
    def radius(self, kind: str) -> Iterator[Child]:
        """FreeRADIUS from `write_freeradius_config`, or the embedded server."""
        name = "run_freeradius" if kind == "FreeRADIUS" else "run_radius_server"
        environment = self.environment(radius=True)
        with running(kind, manage(name), environment, self.folder) as child:
            yield child


@dataclass
class Bench:
    """PostgreSQL and Valkey of one run, and the sites on them."""

    installation: Installation
    postgres: servers.Postgres
    valkey: servers.Valkey
    passwords: dict[str, str] = field(
        default_factory=lambda: {role: secrets.token_urlsafe(24) for role in ROLES}
    )

    @property
    def postgres_pid(self) -> int:
        assert self.postgres.child is not None
        assert self.postgres.child.pid is not None
        return self.postgres.child.pid

    def make(self, name: str, *, customers: int, services: bool) -> Site:
        """A database of its own, migrated and filled by `generate_isp`."""
        addresses = bootstrap(self.postgres.url("postgres"), self.passwords, name)
        site = self._site(name, addresses)
        words = [program("python"), "-m", "dotmac.devtools.prepare"]
        site._run(words, owner=True)
        if customers:
            more = [] if services else ["--without-services"]
            site.manage("generate_isp", "--customers", str(customers), *more)
        site.execute("VACUUM (ANALYZE)")
        return site

    def clone(self, site: Site, name: str) -> Site:
        """The same data once more, untouched."""
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as admin:
            names = {"new": sql.Identifier(name), "old": sql.Identifier(site.name)}
            for line in _CLONE:
                admin.execute(sql.SQL(line).format(**names))
        old = site.context.addresses
        urls = (with_database(url, name) for url in (old.app, old.owner, old.radius))
        clone = self._site(name, Addresses(*urls))
        clone.execute("VACUUM (ANALYZE)")
        clone.execute("CHECKPOINT")
        return clone

    def drop(self, site: Site) -> None:
        """Forget a database."""
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as admin:
            statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            admin.execute(statement.format(sql.Identifier(site.name)))

    def _site(self, name: str, addresses: Addresses) -> Site:
        datagram = socket.SOCK_DGRAM
        context = Context(
            installation=self.installation,
            addresses=addresses,
            redis_url=self.valkey.url(),
            web_port=servers.free_port(),
            auth_port=servers.free_port(kind=datagram),
            acct_port=servers.free_port(kind=datagram),
            smtp_port=servers.free_port(),
            gateway_port=servers.free_port(),
            demo=0,
        )
        return Site(
            name=name,
            context=context,
            superuser_url=self.postgres.url(name),
            folder=self.installation.root,
        )


_CLONE = (
    "CREATE DATABASE {new} TEMPLATE {old} OWNER dotmac_owner",
    "REVOKE ALL ON DATABASE {new} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {new} TO dotmac_app, radius",
)


@contextmanager
def bench() -> Iterator[Bench]:
    """Servers in a temporary folder, with the settings that start.py gives them."""
    folder = Path(tempfile.mkdtemp(prefix="dotmac-bench-"))
    installation = open_installation(folder / "data")
    for name in _KEYS:
        installation.secret(name)
    postgres = servers.Postgres(installation.postgres)
    valkey = servers.Valkey(installation.valkey)
    try:
        postgres.start()
        valkey.start()
        yield Bench(installation, postgres, valkey)
    finally:
        valkey.stop()
        postgres.stop()
        servers.remove_data(installation.postgres)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    name: str, words: Sequence[str], environment: dict[str, str], folder: Path
) -> Iterator[Child]:
    """A program for as long as the block lasts."""
    child = Child(
        name,
        words,
        env=environment,
        log=folder / "logs" / f"{name}.log",
        stop_signal=signal.SIGTERM,
        options={"cwd": str(ROOT)},
    )
    child.start()
    try:
        yield child
    finally:
        child.stop()


def wait_for_http(url: str, child: Child) -> None:
    """Until it answers at all, be it a refusal."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # nosec B310
        except urllib.error.HTTPError:
            return
        except OSError as error:
            if not child.is_alive or time.monotonic() > deadline:
                raise SystemExit(f"{child.name}: {child.tail(20)}") from error
            time.sleep(0.1)
        else:
            return


def load() -> float:
    """How crowded the machine is, besides us or with us."""
    return os.getloadavg()[0]
