"""A PostgreSQL that may be stopped, a storm while it is, and what became of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg

from dotmac.devtools.bootstrap import ROLES, bootstrap
from dotmac.devtools.processes import Child
from dotmac.devtools.servers import Postgres
from tests import environment
from tests.conformance import isp as world
from tools.load import plan
from tools.load.engine import Pace, Server, run
from tools.load.plan import Maker, Subscriber
from tools.load.report import Results

DATABASE = "outage"
HOST = "127.0.0.1"

_SEED = f"""
from django.utils import timezone
from apps.network import operations
from dotmac.core.actors import system_actor
facts = dict(actor=system_actor("seed"), now=timezone.now())
operations.create_nas(name="n", address="127.0.0.1", secret={world.SECRET!r}, **facts)
speed = operations.create_rate_profile(name="p", down_kbps=1, up_kbps=1, **facts)
operations.open_access(login="ada", password="pw", profile_id=speed.pk, **facts)
"""


@contextmanager
def own_postgres(folder: Path, **settings: str) -> Iterator[Postgres]:
    """One NAS and one account, `ada` with the password `pw`."""
    server = Postgres(folder / "postgres", settings={"fsync": "off", **settings})
    server.start()
    bootstrap(
        server.url("postgres"),
        dict.fromkeys(ROLES, environment.PASSWORD),
        database=DATABASE,
    )
    urls = environment.database_environment(server.port, DATABASE)
    env = {**environment.untraced(), **urls}
    try:
        for command in (["migrate", "--verbosity", "0"], ["shell", "--command", _SEED]):
            subprocess.run(
                [sys.executable, environment.ROOT / "manage.py", *command],
                env=env,
                check=True,
                capture_output=True,
            )
        yield server
    finally:
        server.stop()


@dataclass
class Found:
    """What a storm without PostgreSQL was like."""

    prefix: str
    count: int
    began: float
    results: Results
    # The kinds of answers that logins got meanwhile; "" is silence.
    logins: list[str]
    octets: int
    replayed_s: float = 0.0


def storm_without_postgres(
    postgres: Postgres,
    folder: Path,
    *,
    seconds: int,
    rate: int,
    kind: str = "freeradius",
) -> Found:
    """PostgreSQL stops, Starts come at that rate; FreeRADIUS is killed in the middle.

    Then PostgreSQL starts again and the replay, which ran all the time, brings in what
    waits.
    """
    url = environment.database_environment(postgres.port, DATABASE)
    env = world.server_environment(
        url["RADIUS_DATABASE_URL"], Path(os.environ["DOTMAC_TEST_FOLDER"])
    )
    env |= {"RADIUS_ACCOUNTING": "buffered", "RADIUS_THREADS": "8"}
    replay = _replay(folder, env)
    server = world.start_server(kind, folder, env, world.SECRET)
    try:
        server.wait()
        postgres.stop()
        with _in_the_middle(server, seconds, kills=kind == "freeradius") as logins:
            prefix, began = f"{kind}{seconds}", time.time()
            results = _storm(server, prefix, seconds * rate, rate)
        waiting = folder / "accounting"
        octets = sum(path.stat().st_size for path in waiting.glob("*.acct"))
        found = Found(prefix, seconds * rate, began, results, logins, octets)
        postgres.start()
        started = time.monotonic()
        _wait_for(postgres, found, patience_s=20 + seconds * rate / 300)
        found.replayed_s = time.monotonic() - started
        return found
    finally:
        server.child.stop()
        replay.stop()
        if not postgres.answers():
            postgres.start()


def _replay(folder: Path, env: dict[str, str]) -> Child:
    child = Child(
        "replay",
        [sys.executable, world.ROOT / "manage.py", "run_accounting_replay"],
        env={**env, "DOTMAC_DATA": str(folder)},
        log=folder / "replay.log",
        stop_signal=signal.SIGTERM,
    )
    child.start()
    return child


@contextmanager
def _in_the_middle(
    server: world.Server, seconds: int, *, kills: bool
) -> Iterator[list[str]]:
    """Meanwhile somebody logs in, and the server is killed and started again."""
    logins: list[str] = []

    def trouble() -> None:
        time.sleep(seconds / 3)
        for password in ("pw", "wrong"):
            answer = server.client.auth(
                User_Name="ada", User_Password=password, wait_s=0.5
            )
            logins.append(answer.kind)
        if kills:
            assert server.child.pid is not None
            os.kill(server.child.pid, signal.SIGKILL)
            server.child.stop()
            server.child.start()

    thread = threading.Thread(target=trouble)
    thread.start()
    yield logins
    thread.join()


def _storm(server: world.Server, prefix: str, count: int, rate: int) -> Results:
    make = Maker(
        secret=world.SECRET.encode(), prefix=prefix, rate=rate, began=time.time()
    )
    people = [Subscriber(f"u{number}", "pw") for number in range(count)]
    client = server.client
    return run(
        plan.storm(make, people, count, "Start"),
        server=Server(
            auth=(HOST, client.auth_port),
            acct=(HOST, client.acct_port),
            secret=world.SECRET.encode(),
        ),
        pace=Pace(rate=rate, wait_s=2, tries=8),
    )


def _rows(postgres: Postgres, statement: str, *values: object) -> list[tuple]:
    with psycopg.connect(postgres.url(DATABASE)) as connection:
        return connection.execute(statement, values).fetchall()


def _wait_for(postgres: Postgres, found: Found, *, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    count = "SELECT count(*) FROM network_sessionlive WHERE acct_session_id LIKE %s"
    while _rows(postgres, count, f"{found.prefix}.%") != [(found.count,)]:
        assert time.monotonic() < deadline, _rows(postgres, count, f"{found.prefix}.%")
        time.sleep(0.2)


def assert_all_there_once(postgres: Postgres, found: Found) -> None:
    """Each session has one row, of its NAS, with the times of then."""
    rows = _rows(
        postgres,
        "SELECT acct_session_id, host(n.address), extract(epoch FROM started_at)::float,"
        " extract(epoch FROM s.heard_at)::float FROM network_sessionlive s"
        " JOIN network_nas n ON n.id = s.nas_id WHERE acct_session_id LIKE %s",
        f"{found.prefix}.%",
    )
    assert len(rows) == len({row[0] for row in rows}) == found.count
    assert {row[1] for row in rows} == {HOST}
    ended = found.began + found.results.seconds
    for _, _, started, heard in rows:
        assert found.began - 1 <= started <= ended
        # Received then, and not when it was replayed; a repeated packet later.
        assert found.began - 1 <= heard <= ended + 1
        assert started <= heard + 1


class Door:
    """An address of PostgreSQL's that may go dark: every connection through it ends."""

    def __init__(self, port: int) -> None:
        self._target, self.taken = port, 0
        self._listening = socket.create_server((HOST, 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        # Wakes the one who accepts.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for pipe in self._open:
            with suppress(OSError):
                pipe.shutdown(socket.SHUT_RDWR)
            pipe.close()
        self._open.clear()

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            self.taken += 1
            there = socket.create_connection((HOST, self._target))
            self._open += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
