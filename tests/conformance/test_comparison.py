"""A stock FreeRADIUS is imported from its database, and compared before the switch."""

from __future__ import annotations

import os
import socket
import time
import uuid
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.network import operations
from apps.network.models import AccessAccount, AccountImport, Nas
from apps.network.operations import comparing
from apps.network.radius.asking import Door
from apps.network.radius.database import RadiusDatabase
from apps.network.selectors import import_counts
from dotmac.devtools.refusals import Refused
from dotmac.devtools.servers import free_port
from tests.conformance import isp as making
from tests.conformance.isp import ACTOR, SECRET, pointed_to
from tests.conformance.radclient import RadClient
from tests.programs import RADIUS_SERVER, need
from tools.bench import stock

pytestmark = pytest.mark.integration
SOURCE = "127.13.0.1"
START_S = 20
PLAIN = 20
GROUPS = {
    "home": [("Mikrotik-Rate-Limit", ":=", "5M/20M"), ("Idle-Timeout", "=", "900")],
    "fast": [("Mikrotik-Rate-Limit", ":=", "50M/100M"), ("Fall-Through", "=", "Yes")],
    "office": [
        ("WISPr-Bandwidth-Max-Down", ":=", "30000000"),
        ("WISPr-Bandwidth-Max-Up", ":=", "10000000"),
    ],
    "off": [],
    "burst": [("Mikrotik-Rate-Limit", ":=", "5M/20M 6M/25M 4M/15M 8/8 1")],
}  # fmt: skip
# Login, password, group (or two, in their order), further checks, own answers.
KINDS = [
    ("its.o", 'p"ss \\ %{x} $', ["home"], [], []),
    ("ünï@ç", "пароль", ["home"], [], []),
    ("Case", "one", ["home"], [], []),
    ("case", "two", ["home"], [], []),
    ("own-speed", "x", [], [], [("Mikrotik-Rate-Limit", ":=", "1M/2M")]),
    ("own-yields", "x", ["home"], [], [("Mikrotik-Rate-Limit", ":=", "1M/2M")]),
    ("own-wins", "x", ["home"], [], [("Idle-Timeout", "=", "600")]),
    ("burst", "x", ["burst"], [], []),
    ("stays", "x", ["home"], [], [("Mikrotik-Rate-Limit", "=", "1M/2M"),
                                  ("Fall-Through", "=", "No")]),
    ("two", "x", ["fast", "home"], [], []),
    ("first", "x", ["home", "fast"], [], []),
    ("office", "x", ["office"], [], []),
    ("address", "x", ["home"], [], [("Framed-IP-Address", ":=", "100.113.0.7")]),
    ("block", "x", ["home"], [], [("Framed-IP-Address", ":=", "100.113.0.8"),
        ("Framed-Route", "+=", "198.18.113.8/29 100.113.0.8 1"),
        ("Delegated-IPv6-Prefix", ":=", "2001:db8:1307::/56")]),
    ("pool", "x", ["home"], [], [("Framed-Pool", "=", "main-113")]),
    ("phone", "x", ["home"], [("Calling-Station-Id", "==", "AA:BB:CC:00:13:01")], []),
    ("three", "x", ["home"], [("Simultaneous-Use", ":=", "3")], []),
    ("gone", "x", ["off", "home"], [], [("Mikrotik-Rate-Limit", ":=", "5M/20M")]),
    ("hashed", "x", ["home"], [], []),
    ("hint", "x", ["home"], [], [("Reply-Message", ":=", "Welcome")]),
]  # fmt: skip
REFUSED = {"hashed", "hint"}


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The server that is to go, with its users, and the URL of its database."""
    need(*RADIUS_SERVER)
    try:
        stock.distributed(stock.SCHEMA)
    except Refused as refusal:
        pytest.skip(str(refusal))
    admin, name = os.environ["DOTMAC_TEST_SUPERUSER_URL"], f"old_{uuid.uuid4().hex[:8]}"
    database = stock.make_database(admin, name, "of the role")
    url = f"postgresql://{name}:of%20the%20role@{database.host}:{database.port}/{name}"
    _fill(url)
    folder = tmp_path_factory.mktemp("old")
    child, port = _start_stock(folder, database)
    (folder / "url").write_text(url + "\n")
    (folder / "secret").write_text(SECRET + "\n")
    yield SimpleNamespace(
        port=port, url=url, url_file=folder / "url", secret_file=folder / "secret"
    )
    child.stop()
    stock.drop_database(admin, name)


def _fill(url: str) -> None:
    users = [
        *KINDS,
        *((f"plain-{n}", f"pw {n}", ["home"], [], []) for n in range(PLAIN)),
    ]
    check, reply, member = [], [], []
    for login, password, groups, checks, replies in users:
        kind = "NT-Password" if login == "hashed" else "Cleartext-Password"
        check += [(login, kind, ":=", password), *((login, *row) for row in checks)]
        reply += [(login, *row) for row in replies]
        member += [(login, group, n) for n, group in enumerate(groups, 1)]
    answers = [(name, *row) for name, rows in GROUPS.items() for row in rows]
    with psycopg.connect(url) as owner, owner.cursor() as cursor:
        add = "INSERT INTO {} ({}, Attribute, op, Value) VALUES (%s, %s, %s, %s)"
        for table, column, rows in (
            ("radcheck", "UserName", check), ("radreply", "UserName", reply),
            ("radgroupreply", "GroupName", answers),
            ("radgroupcheck", "GroupName", [("off", "Auth-Type", ":=", "Reject")]),
        ):  # fmt: skip
            cursor.executemany(add.format(table, column), rows)
        cursor.executemany(
            "INSERT INTO radusergroup (UserName, GroupName, priority)"
            " VALUES (%s, %s, %s)",
            member,
        )


def _start_stock(folder: Path, database: RadiusDatabase):
    auth, acct = (free_port(kind=socket.SOCK_DGRAM) for _ in range(2))
    listen = stock.Listen(
        auth_port=auth, acct_port=acct, secret=SECRET, nas=SOURCE, threads=4
    )
    stock.write_configuration(folder, database=database, variant="lean", listen=listen)
    child = stock.child(folder, "lean")
    child.start()
    deadline = time.monotonic() + START_S
    while "Ready to process requests" not in child.tail(50):
        assert child.is_alive, child.tail(20)
        assert time.monotonic() < deadline, child.tail(20)
        time.sleep(0.1)
    return child, auth


@pytest.fixture(scope="module")
def own(radius_database, django_db_blocker, tmp_path_factory):
    """DotMac with the NAS that is to be switched, and its pools."""
    now = timezone.now()
    with pointed_to(radius_database, django_db_blocker):
        by: dict[str, Any] = {"actor": ACTOR, "now": now}
        making.make_nas(SOURCE)
        if not Nas.objects.filter(address="127.0.0.1").exists():
            making.make_nas("127.0.0.1")
        vrf = operations.create_vrf(name="compared", **by).pk
        pools: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("compared", "100.113.0.0/24", {}),
            ("compared-routes", "198.18.113.0/24",
             {"use": "routed", "delegated_length": 29}),
            ("compared-blocks", "2001:db8:1300::/40",
             {"use": "delegated", "delegated_length": 56}),
        )  # fmt: skip
        for name, cidr, facts in pools:
            pool = operations.create_pool(name=name, vrf_id=vrf, **facts, **by)
            operations.create_prefix(cidr=cidr, vrf_id=vrf, pool_id=pool.pk, **by)
        operations.create_pool(
            name="main-113", vrf_id=vrf, mode="nas", framed_pool="main-113", **by
        )
        url = os.environ["RADIUS_DATABASE_URL"].rsplit("/", 1)[0]
        env = making.server_environment(
            f"{url}/{radius_database}", Path(os.environ["DOTMAC_TEST_FOLDER"])
        )
        server = making.start_server(
            "embedded", tmp_path_factory.mktemp("own"), env, SECRET
        )
        try:
            server.wait()
            yield server.client
        finally:
            server.child.stop()


@pytest.fixture
def compare(old, own: RadClient, settings):
    settings.RADIUS_HOST, settings.RADIUS_AUTH_PORT = own.host, own.auth_port

    def run(*more: str) -> tuple[bool, str]:
        told = StringIO()
        try:
            call_command(
                "compare_radius", "--old", f"127.0.0.1:{old.port}", "--rate", "400",
                "--secret-file", str(old.secret_file), "--source", SOURCE, *more,
                stdout=told,
            )  # fmt: skip
        except CommandError as refusal:
            return False, told.getvalue() + str(refusal)
        return True, told.getvalue()

    return run


def _import(*options: str) -> tuple[AccountImport, str]:
    told = StringIO()
    call_command("import_accounts", *options, stdout=told)
    batch = AccountImport.objects.order_by("pk").last()
    assert batch is not None
    return batch, told.getvalue()


def _different(batch: AccountImport) -> dict[str, str]:
    rows = batch.rows.filter(verdict="different").order_by("number")
    return {row.login: "; ".join(row.differences) for row in rows}


def _change(login: str, **facts: Any) -> None:
    account = AccessAccount.objects.active().get(login=login)
    operations.change_access(
        account_id=account.pk, **facts, actor=ACTOR, now=timezone.now()
    )


def _plant() -> None:
    """Six accounts that answer otherwise than the old server does."""
    _change("plain-1", password="another")
    _change("plain-2", profile_id=AccessAccount.objects.get(
        login="own-speed", closed_at=None).profile_id)  # fmt: skip
    _change("plain-3", expires_at=timezone.now() + timedelta(hours=1))
    held = AccessAccount.objects.active().get(login="address")
    operations.release_address(account_id=held.pk, actor=ACTOR, now=timezone.now())
    gone = AccessAccount.objects.active().get(login="gone")
    operations.lift_hold(
        account_id=gone.pk, reason="admin", actor=ACTOR, now=timezone.now()
    )
    closed = AccessAccount.objects.active().get(login="plain-4")
    operations.close_access(account_id=closed.pk, actor=ACTOR, now=timezone.now())


def test_a_stock_server_is_taken_over_and_every_planted_difference_found(old, compare):
    batch, told = _import("--database-file", str(old.url_file))
    assert f"{len(KINDS) + PLAIN - len(REFUSED)} ready, 0 opened" in told
    assert "hint An account has no place for Reply-Message = Welcome." in told
    assert "hashed Its password cannot be read back (NT-Password)" in told
    batch, told = _import("--import", str(batch.pk), "--start")
    assert f"{len(KINDS) + PLAIN - len(REFUSED)} opened, {len(REFUSED)} not" in told

    # What was imported is answered alike, in whatever way the old server was told it.
    ready, told = compare("--import", str(batch.pk))
    assert not ready
    assert set(_different(batch)) == REFUSED, _different(batch)
    counts = import_counts(batch.pk)
    assert (counts.same, counts.silent) == (counts.total - len(REFUSED), 0)
    assert not counts.may_switch

    # By CHAP as well. Those whose account came later by hand are asked for with it.
    profile = AccessAccount.objects.get(login="plain-0", closed_at=None).profile_id
    for login in REFUSED:
        operations.open_access(
            login=login, password="x", profile_id=profile, actor=ACTOR,
            now=timezone.now(),
        )  # fmt: skip
    compare("--import", str(batch.pk), "--chap")
    assert _different(batch) == {
        "hashed": "The old server refuses it, DotMac lets it in.",
        "hint": "Reply-Message: Welcome before, nothing now",
    }

    _plant()
    _ready, told = compare("--import", str(batch.pk))
    found = _different(batch)
    assert found.keys() == REFUSED | {
        "plain-1", "plain-2", "plain-3", "plain-4", "address", "gone",
    }  # fmt: skip
    # DotMac's password is the one that is asked with.
    assert found["plain-1"] == "The old server refuses it, DotMac lets it in."
    assert "speed: 20M down, 5M up before, 2M down, 1M up now" in found["plain-2"]
    assert found["plain-3"].startswith("Session-Timeout: nothing before, 3")
    assert found["plain-4"] == "DotMac has no such account."
    assert found["address"] == "Framed-IP-Address: 100.113.0.7 before, nothing now"
    assert found["gone"] == "The old server refuses it, DotMac lets it in."
    assert "plain-2: speed" in told
    batch.refresh_from_db()
    assert batch.compared_as is not None
    assert batch.compared_as.address is not None
    assert batch.compared_at is not None


@pytest.fixture
def old_alone(old):
    """The old server, which forgets afterwards who is added to it."""
    yield old
    with psycopg.connect(old.url) as owner:
        owner.execute("DELETE FROM radcheck WHERE UserName LIKE 'sw-%'")
        owner.execute("DELETE FROM radreply WHERE UserName LIKE 'sw-%'")


def test_a_nas_may_be_switched_when_nothing_differs_and_all_answer(
    old_alone, compare, tmp_path, monkeypatch
):
    old = old_alone
    rows = [f"{n},sw-{n},Cleartext-Password,:=,pw" for n in range(3)]
    speed = [f"{n},sw-{n},Mikrotik-Rate-Limit,:=,1M/2M" for n in range(3)]
    head = "id,username,attribute,op,value"
    for name, lines in (("radcheck", rows), ("radreply", speed)):
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines, ""]))
    with psycopg.connect(old.url) as owner:
        for n in range(3):
            owner.execute(
                "INSERT INTO radcheck (UserName, Attribute, op, Value) VALUES"
                " (%s, 'Cleartext-Password', ':=', 'pw')", [f"sw-{n}"],
            )  # fmt: skip
            owner.execute(
                "INSERT INTO radreply (UserName, Attribute, op, Value) VALUES"
                " (%s, 'Mikrotik-Rate-Limit', ':=', '1M/2M')", [f"sw-{n}"],
            )  # fmt: skip
    batch, _told = _import(
        str(tmp_path / "radcheck.csv"), str(tmp_path / "radreply.csv"), "--start"
    )
    ready, told = compare("--import", str(batch.pk))
    assert ready, told
    assert "3 logins compared: 3 the same" in told
    assert import_counts(batch.pk).may_switch

    # A server that says nothing is none that agrees.
    monkeypatch.setattr(comparing, "Door", partial(Door, timeout_s=0.2, tries=1))
    other = tmp_path / "secret"
    other.write_text("another secret\n")
    ready, told = compare("--import", str(batch.pk), "--secret-file", str(other))
    assert not ready
    assert "sw-0: The old server gave no answer." in told
    assert import_counts(batch.pk).silent == 3


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--old", "nowhere"], "HOST:PORT"),
        (["--old", "no.such.host.invalid:1812"], "Nobody is called"),
        (["--secret-file", "/nonexistent/file"], "No such file"),
        (["--source", "127.13.9.9"], "DotMac has no NAS at 127.13.9.9"),
        (["--source", "somewhere"], "An address looks like"),
        (["--rate", "0"], "Between 1 and 1000"),
        (["--import", "999999"], "no such import"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(compare, options, why):
    ready, told = compare(*options)
    assert not ready
    assert why in told
