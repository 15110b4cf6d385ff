"""An ISP whose packets are real: servers, NASes, accounts, and what became of them."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.utils import timezone

from apps.network import operations
from apps.network.models import Nas, SessionLive, UsageHour
from apps.network.radius import certificates
from apps.network.radius.certificates import Folder
from dotmac.core.actors import system_actor
from dotmac.devtools.processes import Child
from dotmac.devtools.servers import free_port
from tests import conftest as servers
from tests.conformance.radclient import RadClient
from tests.programs import RADIUS_SERVER, need

ROOT = Path(__file__).resolve().parent.parent.parent
ACTOR = system_actor("conformance")
SECRET = "tests-share-this-one"
SERVER_NAME = "radius.example.com"
START_S = 20
# For so long a server of ours remembers a NAS; 15 seconds elsewhere.
CLIENT_LIFETIME_S = 1
_numbers = itertools.count(1)


def start_server(
    kind: str, folder: Path, env: dict[str, str], secret: str, *more: str
) -> Server:
    """Run a server as an installation does, and wait for a real answer."""
    import socket

    if kind == "freeradius":
        need(*RADIUS_SERVER)
    auth, acct = free_port(kind=socket.SOCK_DGRAM), free_port(kind=socket.SOCK_DGRAM)
    radsec = free_port()
    name = {"freeradius": "run_freeradius", "embedded": "run_radius_server"}[kind]
    child = Child(
        kind,
        [
            sys.executable,
            ROOT / "manage.py",
            name,
            "--reject-delay=0",
            f"--client-lifetime={CLIENT_LIFETIME_S}",
            *more,
        ],
        env={
            **env,
            "DOTMAC_DATA": str(folder),
            "ENCRYPTION_KEY_PATH": env["ENCRYPTION_KEY_PATH"],
            "RADIUS_AUTH_PORT": str(auth),
            "RADIUS_ACCT_PORT": str(acct),
            "RADIUS_MORE_HOSTS": "::1",
            "RADIUS_RADSEC_PORT": str(radsec),
        },
        log=folder / f"{kind}.log",
        stop_signal=signal.SIGTERM,
    )
    child.start()
    return Server(kind, RadClient(auth, acct, secret), child, radsec)


@dataclass
class Server:
    """A running RADIUS server and the means to talk to it."""

    kind: str
    client: RadClient
    child: Child
    radsec_port: int = 0

    def wait(self) -> None:
        deadline = time.monotonic() + START_S
        while self.client.auth(User_Name="?", User_Password="?", wait_s=1).silent:
            assert self.child.is_alive, self.child.log.read_text()[-2000:]
            assert time.monotonic() < deadline, self.child.log.read_text()[-2000:]


def make_certificates(folder: Path) -> Folder:
    """What a server that keeps its state in this folder finds: FreeRADIUS does EAP."""
    made = Folder(folder / "radius-certificates")
    certificates.prepare(made, operator="ISP", name=SERVER_NAME, now=timezone.now())
    return made


def server_environment(database_url: str, folder: Path) -> dict[str, str]:
    """The variables that a RADIUS server gets, and no others."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "dotmac.settings.test",
        "ENCRYPTION_KEY_PATH": str(folder / "secrets" / "encryption.key"),
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "RADIUS_DATABASE_URL": database_url,
        # Coverage follows subprocesses by these.
        **{k: v for k, v in os.environ.items() if k.startswith("COV")},
    }


class pointed_to:  # noqa: N801 - reads as a statement
    """Make Django use a database for a while."""

    def __init__(self, name: str, blocker) -> None:
        self.name, self.blocker = name, blocker.unblock()

    def __enter__(self) -> None:
        from django.conf import settings

        self.before = settings.DATABASES["default"]["NAME"]
        self.blocker.__enter__()
        servers._point_to(self.name)

    def __exit__(self, *error: object) -> None:
        servers._close_all()
        servers._point_to(self.before)
        self.blocker.__exit__(*error)


def make_nas(address: str, **facts: Any) -> Nas:
    return operations.create_nas(
        name=f"NAS {address}", address=address, secret=SECRET,
        actor=ACTOR, now=timezone.now(), **facts,
    )  # fmt: skip


@dataclass
class Isp:
    """Shorthand for making accounts and reading what packets made of them."""

    client: RadClient
    profiles: dict[tuple, int] = field(default_factory=dict)

    def nas(self, **facts: Any) -> Nas:
        """Another NAS, at a loopback address that no other test uses."""
        number = next(_numbers) + os.getpid() % 97 * 100
        return make_nas(f"127.3.{number // 250}.{number % 250 + 1}", **facts)

    def account(self, password: str = "right horse", **facts: Any):
        """An open account; `profile` overrides fields of its rate profile."""
        number = uuid.uuid4().hex[:10]
        profile = {
            "down_kbps": 20_000, "up_kbps": 10_000, **facts.pop("profile", {}),
        }  # fmt: skip
        made = operations.create_rate_profile(
            name=f"P {number}", actor=ACTOR, now=timezone.now(), **profile
        )
        return operations.open_access(
            login=facts.pop("login", f"user-{number}"), password=password,
            profile_id=made.pk, actor=ACTOR, now=timezone.now(), **facts,
        )  # fmt: skip

    def hold(self, account, effect: str, reason: str = "admin") -> None:
        operations.place_hold(
            account_id=account.pk, reason=reason, effect=effect,
            actor=ACTOR, now=timezone.now(),
        )  # fmt: skip

    def auth(self, account, password: str = "right horse", **attributes: object):
        return self.client.auth(
            User_Name=account.login, User_Password=password, **attributes
        )

    def sessions(self, login: str) -> list[SessionLive]:
        return list(SessionLive.objects.filter(login=login).order_by("generation"))

    def heard(self, account, **delta: float) -> None:
        """Let that much time pass since we last heard of the account's sessions."""
        SessionLive.objects.filter(login=account.login).update(
            heard_at=timezone.now() - timedelta(**delta)
        )

    def usage(self, account) -> tuple[int, int]:
        rows = UsageHour.objects.filter(account_id=account.pk)
        return sum(r.octets_in for r in rows), sum(r.octets_out for r in rows)


def ago(**delta: float) -> int:
    """An Event-Timestamp in the past."""
    return int((datetime.now(UTC) - timedelta(**delta)).timestamp())


def superuser(database: str) -> psycopg.Connection:
    url = os.environ["DOTMAC_TEST_SUPERUSER_URL"].rsplit("/", 1)[0]
    return psycopg.connect(f"{url}/{database}", autocommit=True)


@contextmanager
def replaced(database: str, function: str, definition: str) -> Iterator[psycopg.Cursor]:
    """Another body for one of our functions, and the real one again afterwards.

    Runs as the tables' owner, so that the body may use tables made by the cursor.
    """
    with superuser(database) as admin:
        cursor = admin.execute("SET ROLE dotmac_owner")
        cursor.execute("SELECT pg_get_functiondef(to_regproc(%s))", [function])
        found = cursor.fetchone()
        assert found is not None
        try:
            cursor.execute(definition)
            yield cursor
        finally:
            cursor.execute(found[0])
