"""The RADIUS servers that are measured: DotMac's two, and stock FreeRADIUS as reference."""

from __future__ import annotations

import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyrad.packet import Packet

from apps.network.radius.database import RadiusDatabase
from apps.network.radius.packets import dictionary
from dotmac.devtools.processes import Child
from dotmac.devtools.servers import HOST, free_port
from tools.bench import stock
from tools.bench.site import Bench, Site
from tools.load.engine import Server
from tools.load.packets import ACCESS_ACCEPT, access_request, is_genuine, mac_of
from tools.load.plan import Subscriber

DOTMAC, EMBEDDED, LEAN, FULL = (
    "DotMac",
    "DotMac, embedded",
    "stock, lean",
    "stock, full",
)
PASSWORD = "generated-password"  # noqa: S105 - of temporary servers  # nosec B105
STOCK = "stock"
START_S = 30
SAMPLE = 20
FEW = 1_000
# Ours alone: how accounting finds the account, and the signature of answers.
_NOT_COMPARED = {"Class", "Message-Authenticator"}

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server that can be run, and whose statements can be told apart."""

    name: str
    database: str
    role: str
    server: Server
    running: Callable[[], AbstractContextManager[Child]]

    def login(self, who: Subscriber) -> Pairs | None:
        """What the server gives him; None when it does not let him in."""
        secret, mac = self.server.secret, mac_of(who.login)
        asked = access_request(7, who.login, who.password, secret, mac=mac)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.bind((HOST, 0))
            door.settimeout(1.0)
            door.sendto(asked, self.server.auth)
            try:
                answer = door.recv(4096)
            except TimeoutError:
                return None
        if answer[0] != ACCESS_ACCEPT or not is_genuine(answer, asked, secret):
            return None
        return _pairs(answer)

    def wait(self, child: Child, who: Subscriber) -> Pairs:
        """Until it answers this subscriber, who is to be let in."""
        deadline = time.monotonic() + START_S
        while True:
            if (pairs := self.login(who)) is not None:
                return pairs
            if not child.is_alive or time.monotonic() > deadline:
                raise SystemExit(f"{self.name} lets nobody in: {child.tail(20)}")


@dataclass(frozen=True, kw_only=True)
class Testbed:
    """All targets, with the same subscribers, and where their rows are."""

    site: Site
    stock: Site
    subscribers: list[Subscriber]
    targets: dict[str, Target]


def build(bench: Bench, *, subscribers: int) -> Testbed:
    """Both databases, filled; every target then answers a sample alike."""
    site = bench.make("radius", customers=0, services=False)
    people = make_subscribers(site, subscribers)
    secret = site.inside("nas", address=HOST)["secret"]
    ours = {
        name: _ours(site, name, kind, secret)
        for name, kind in ((DOTMAC, "FreeRADIUS"), (EMBEDDED, "embedded"))
    }
    stocked, theirs = _make_stock(bench, site, secret, people, ours[DOTMAC])
    bed = Testbed(
        site=site, stock=stocked, subscribers=people, targets={**ours, **theirs}
    )
    # Statistics come when a measurement says so, and vacuum is nobody's burden.
    site.execute("ALTER SYSTEM SET autovacuum = off")
    site.execute("SELECT pg_reload_conf()")
    for each in (site, stocked):
        each.execute("VACUUM (ANALYZE)")
    _compare(bed)
    return bed


def make_subscribers(site: Site, count: int) -> list[Subscriber]:
    """A few, then the many: the triggers of an address need statistics, without which
    each of them reads all addresses that are there."""
    few = min(FEW, count)
    site.inside("subscribers", first=0, count=few, password=PASSWORD)
    site.execute("ANALYZE")
    site.inside("subscribers", first=few, count=count - few, password=PASSWORD)
    rows = site.execute(_PEOPLE)
    return [Subscriber(login, PASSWORD, address) for login, address in rows]


_PEOPLE = """
SELECT a.login, host(s.address) FROM network_accessaccount a
  JOIN network_addressassignment s ON s.account_id = a.id AND s.released_at IS NULL
 ORDER BY a.id
"""
_GROUPS = """
SELECT a.login, concat_ws('-', 'profile', a.profile_id, h.effect)
  FROM network_accessaccount a
  LEFT JOIN network_accesshold h ON h.account_id = a.id AND h.lifted_at IS NULL
 ORDER BY a.id
"""


def _ours(site: Site, name: str, kind: str, secret: str) -> Target:
    context = site.context
    server = Server(
        auth=(HOST, context.auth_port),
        acct=(HOST, context.acct_port),
        secret=secret.encode(),
    )
    running = partial(site.radius, kind)
    return Target(
        name=name, database=site.name, role="radius", server=server, running=running
    )


def _make_stock(
    bench: Bench, site: Site, secret: str, people: list[Subscriber], model: Target
) -> tuple[Site, dict[str, Target]]:
    """The same users in Debian's tables, and a configuration for each variant."""
    admin = bench.postgres.url("postgres")
    database = stock.make_database(admin, STOCK, secrets.token_urlsafe(24))
    groups = dict(site.execute(_GROUPS))
    first = {group: login for login, group in reversed(groups.items())}
    by_login = {who.login: who for who in people}
    with model.running() as child:
        model.wait(child, people[0])
        answers = {
            group: model.wait(child, by_login[login]) for group, login in first.items()
        }
    shared = {
        group: [pair for pair in pairs if pair[0] != "Framed-IP-Address"]
        for group, pairs in answers.items()
    }
    users = (
        stock.User(
            who.login, PASSWORD, groups[who.login],
            [("Framed-IP-Address", who.address)],
        )
        for who in people
    )  # fmt: skip
    stock.fill(database, users, shared)
    stocked = Site(
        name=STOCK,
        context=site.context,
        superuser_url=bench.postgres.url(STOCK),
        folder=site.folder,
    )
    targets = {}
    for name, variant in ((LEAN, "lean"), (FULL, "full")):
        targets[name] = _variant(site.folder, name, variant, database, secret)
    return stocked, targets


def _variant(
    folder: Path, name: str, variant: str, database: RadiusDatabase, secret: str
) -> Target:
    auth, acct = (free_port(kind=socket.SOCK_DGRAM) for _ in range(2))
    place = folder / f"stock-{variant}"
    listen = stock.Listen(auth_port=auth, acct_port=acct, secret=secret)
    stock.write_configuration(place, database=database, variant=variant, listen=listen)
    server = Server(auth=(HOST, auth), acct=(HOST, acct), secret=secret.encode())
    return Target(
        name=name, database=STOCK, role=STOCK, server=server,
        running=partial(_running, place, name),
    )  # fmt: skip


@contextmanager
def _running(place: Path, name: str) -> Iterator[Child]:
    child = stock.child(place, name)
    child.start()
    try:
        yield child
    finally:
        child.stop()


def _compare(bed: Testbed) -> None:
    """What is measured must be the same answer: the reference may not give less."""
    dice = random.Random(1)  # noqa: S311  # nosec B311
    count = min(SAMPLE, len(bed.subscribers))
    sample = dice.sample(bed.subscribers, count)
    said: dict[str, list[Pairs]] = {}
    for name, target in bed.targets.items():
        with target.running() as child:
            said[name] = [sorted(target.wait(child, who)) for who in sample]
    for name, answers in said.items():
        for who, theirs, ours in zip(sample, answers, said[DOTMAC], strict=True):
            if theirs != ours:
                raise SystemExit(f"{name} gives {who.login} {theirs}, DotMac {ours}.")


def _pairs(answer: bytes) -> Pairs:
    """The attributes by name; DotMac's dictionary must know them all."""
    packet = Packet(packet=answer, dict=dictionary())
    return [
        (name, str(value))
        for name in packet.keys()  # noqa: SIM118 - not a dict: its keys are numbers
        if name not in _NOT_COMPARED
        for value in packet[name]
    ]
