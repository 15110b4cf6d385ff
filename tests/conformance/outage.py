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

from apps.network.radius.client import StatusQuestion, is_alive
from dotmac.devtools.bootstrap import ROLES, bootstrap
from dotmac.devtools.processes import Child
from dotmac.devtools.servers import Postgres
from tests import environment
from tests.conformance import isp as world
from tests.conformance import wire
from tools.load import plan
from tools.load.engine import Pace, Server, run
from tools.load.plan import Maker, Subscriber
from tools.load.report import Results

DATABASE = "outage"
# As long as an attribute may be (RFC 2865, 5); what they become in a column.
HOSTILE = {
    b"'\"`\\" * 63: "'\"`\\" * 63,
    (b"%{sql:SELECT 1}" * 17)[:253]: ("%{sql:SELECT 1}" * 17)[:253],
    b"!|end|\n\r\t" * 28: "!|end|\n\r\t" * 28,
    "\u1ecd".encode() * 84: "\u1ecd" * 84,
    b"\xff" * 253: ("\\x" + "ff" * 253)[:253],
    bytes(253): ("\\x" + "00" * 253)[:253],
}
HOST = "127.0.0.1"

_SEED = f"""
from django.utils import timezone
from apps.network import operations
from dotmac.core.actors import system_actor
facts = dict(actor=system_actor("seed"), now=timezone.now())
hill = operations.create_site(name="Hill", **facts).pk
secret = {world.SECRET!r}
operations.create_nas(
    name="n", address="127.0.0.1", site_id=hill, secret=secret, **facts)
speed = operations.create_rate_profile(name="p", down_kbps=1, up_kbps=1, **facts)
for login in ("ada", "eve"):
    operations.open_access(login=login, password="pw", profile_id=speed.pk, **facts)
"""


@contextmanager
def own_postgres(folder: Path, **settings: str) -> Iterator[Postgres]:
    """One NAS, and the accounts `ada` and `eve` with the password `pw`."""
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
    # Whether Status-Server was answered then: at the door of logins, of accounting.
    statuses: list[bool]
    octets: int
    # Of the hostile packets, those without an answer.
    unanswered: int
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
        with _in_the_middle(server, seconds, kills=kind == "freeradius") as said:
            prefix, began = f"{kind}{seconds}", time.time()
            results = _storm(server, prefix, seconds * rate, rate)
        unanswered = wire.tell_all(
            server.client.acct_port, _hostile(prefix), source=HOST
        )
        waiting = folder / "accounting"
        octets = sum(path.stat().st_size for path in waiting.glob("*.acct"))
        found = Found(prefix, seconds * rate, began, results, *said, octets, unanswered)
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


def write_snapshot(postgres: Postgres, folder: Path, env: dict[str, str]) -> Path:
    """The snapshot of the only site, in which Eve is known: she was on line there."""
    _rows(
        postgres,
        "SELECT radius_accounting('Start', 'eve', '127.0.0.1', 'known', '', %s,"
        " '', '', '', '', '', '', '', '', '', '')",
        "aa:bb:cc:dd:ee:01",
    )
    urls = environment.database_environment(postgres.port, DATABASE)
    subprocess.run(
        [sys.executable, environment.ROOT / "manage.py", "write_radius_snapshot",
         "--site=1"],
        env={**environment.untraced(), **env, **urls, "DOTMAC_DATA": str(folder)},
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "snapshots" / "site-1" / "snapshot"


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
) -> Iterator[tuple[list[str], list[bool]]]:
    """Meanwhile somebody logs in, and the server is killed and started again."""
    logins: list[str] = []
    statuses: list[bool] = []

    def trouble() -> None:
        time.sleep(seconds / 3)
        for password in ("pw", "wrong"):
            answer = server.client.auth(
                User_Name="ada", User_Password=password, wait_s=0.5
            )
            logins.append(answer.kind)
        for port in (server.client.auth_port, server.client.acct_port):
            question = StatusQuestion(
                server=(HOST, port),
                secret=world.SECRET,
                nas_address=HOST,
                timeout_s=0.5,
            )
            statuses.append(is_alive(question))
        if kills:
            assert server.child.pid is not None
            os.kill(server.child.pid, signal.SIGKILL)
            server.child.stop()
            server.child.start()

    thread = threading.Thread(target=trouble)
    thread.start()
    yield logins, statuses
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


def _hostile(prefix: str) -> list[bytes]:
    """Names that are quotes, expansions and zeros in every attribute that has any;
    vendors nobody knows; addresses that are none."""
    made = []
    for number, name in enumerate(HOSTILE):
        session = f"{prefix}-hostile-{number}".encode()
        named = (1, 25, 30, 31, 33, 87)
        made.append(
            wire.accounting_request(
                world.SECRET.encode(),
                wire.attribute(44, session),
                *(wire.attribute(code, name) for code in named),
                wire.vendor(3561, 1, name[:240]),
                wire.vendor(99999, 1, name[:240]),
                wire.attribute(8, b"\x0a\x01"),
                wire.attribute(49, b"\0\0\xff\xff"),
                wire.attribute(97, b"\0\xff" + bytes(range(16))),
                identifier=number,
            )
        )
    return made


def _rows(postgres: Postgres, statement: str, *values: object) -> list[tuple]:
    with psycopg.connect(postgres.url(DATABASE)) as connection:
        return connection.execute(statement, values).fetchall()


def _wait_for(postgres: Postgres, found: Found, *, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    wanted = (found.count, len(HOSTILE))
    while (here := _rows(postgres, _COUNTS, *_patterns(found.prefix))) != [wanted]:
        assert time.monotonic() < deadline, (here, wanted)
        time.sleep(0.2)


_COUNTS = (
    "SELECT count(*) FILTER (WHERE acct_session_id LIKE %s),"
    " count(*) FILTER (WHERE acct_session_id LIKE %s) FROM network_sessionlive"
)


def _patterns(prefix: str) -> tuple[str, str]:
    return f"{prefix}.%", f"{prefix}-hostile-%"


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
    assert found.unanswered == 0
    hostile = _rows(
        postgres,
        "SELECT login, framed_address FROM network_sessionlive"
        " WHERE acct_session_id LIKE %s ORDER BY acct_session_id",
        _patterns(found.prefix)[1],
    )
    assert hostile == [(name, None) for name in HOSTILE.values()]


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
