"""What is sent, in which order: made before the clock runs, so that it costs nothing then."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.load import packets
from tools.load.packets import Session, mac_of

ACCESS = "Access-Request"
ACCOUNTING = ("Start", "Interim-Update", "Stop")
KINDS = (ACCESS, *ACCOUNTING)
METHODS = ("pap", "chap")
WRONG = "not-the-password"
# What a subscriber has had by his first interim, and by his Stop.
_INTERIM = {"seconds": 300, "octets": 40_000_000}
_STOP = {"seconds": 420, "octets": 5_000_000_000}


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A login, its password, and the address that its NAS tells of it."""

    login: str
    password: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One packet and the code that a right answer has."""

    kind: str
    login: str
    data: bytes
    expects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes packets of one NAS.

    The n-th packet of a run has the identifier n modulo 256: that is how the engine
    spreads them over its sockets. `rate` sets what the NAS's clock says in each,
    `more` how many interims came before, which sets how far the counters are.
    """

    secret: bytes
    prefix: str
    rate: float = 0.0
    began: float = 0.0
    more: int = 0

    def login(
        self, number: int, who: Subscriber, method: str, *, right: bool = True
    ) -> Request:
        """An attempt to get in, with the right password or a wrong one."""
        data = packets.access_request(
            number, who.login, who.password if right else WRONG, self.secret,
            method=method, mac=mac_of(who.login),
        )  # fmt: skip
        expects = packets.ACCESS_ACCEPT if right else packets.ACCESS_REJECT
        return Request(ACCESS, who.login, data, expects)

    def accounting(
        self, number: int, who: Subscriber, status: str, turn: int = 0
    ) -> Request:
        """A packet of the subscriber's session, or of a later one (`turn`) of his."""
        session = Session(
            f"{self.prefix}.{turn}-{who.login}", self._clock(number),
            address=who.address, **self._counters(status),
        )  # fmt: skip
        data = packets.accounting_request(
            number, status, who.login, self.secret, session, mac=mac_of(who.login)
        )
        return Request(status, who.login, data, packets.ACCOUNTING_RESPONSE)

    def _counters(self, status: str) -> dict[str, int]:
        if status == "Stop":
            return _STOP
        interims = 0 if status == "Start" else 1 + self.more
        return {name: value * interims for name, value in _INTERIM.items()}

    def _clock(self, number: int) -> int:
        began = self.began or time.time()
        return int(began + (number / self.rate if self.rate else 0))


def logins(
    make: Maker, subscribers: Sequence[Subscriber], count: int, *,
    methods: Sequence[str] = ("pap",), wrong_every: int = 0,
) -> list[Request]:  # fmt: skip
    """Access-Requests of the subscribers in turn, the methods in turn as well.

    Every `wrong_every`-th has a wrong password and is to be refused; 0 for none.
    """
    return [
        make.login(
            number, subscribers[number % len(subscribers)],
            methods[number % len(methods)],
            right=not wrong_every or (number + 1) % wrong_every != 0,
        )
        for number in range(count)
    ]  # fmt: skip


def storm(
    make: Maker, subscribers: Sequence[Subscriber], count: int, status: str
) -> list[Request]:
    """One kind of accounting packet, for the subscribers in turn."""
    return [
        make.accounting(number, subscribers[number % len(subscribers)], status)
        for number in range(count)
    ]


def mixture(
    make: Maker, subscribers: Sequence[Subscriber], count: int,
    weights: Mapping[str, float], dice: random.Random,
) -> list[Request]:  # fmt: skip
    """All kinds at once by their weights, each session in order: Start, interims, Stop.

    Where nobody is on line an interim or a Stop becomes a Start; where everybody
    is, a Start becomes an interim.
    """
    kinds, shares = list(weights), list(weights.values())
    lines = _Lines(subscribers, dice)
    made = []
    for number in range(count):
        kind = dice.choices(kinds, shares)[0]
        if kind == ACCESS:
            made.append(make.login(number, dice.choice(subscribers), "pap"))
        else:
            kind, who, turn = lines.take(kind)
            made.append(make.accounting(number, who, kind, turn))
    return made


class _Lines:
    """Who is on line, and for the how many-th time."""

    def __init__(self, subscribers: Sequence[Subscriber], dice: random.Random) -> None:
        self._idle, self._dice = [(who, 0) for who in subscribers], dice
        self._online: list[tuple[Subscriber, int]] = []

    def take(self, kind: str) -> tuple[str, Subscriber, int]:
        """Somebody for a packet of this kind, or of the one that is possible."""
        if kind != "Start" and not self._online:
            kind = "Start"
        elif kind == "Start" and not self._idle:
            kind = "Interim-Update"
        if kind == "Start":
            who, turn = self._drawn(self._idle)
            self._online.append((who, turn))
        elif kind == "Stop":
            who, turn = self._drawn(self._online)
            self._idle.append((who, turn + 1))
        else:
            who, turn = self._dice.choice(self._online)
        return kind, who, turn

    def _drawn(self, people: list[tuple[Subscriber, int]]) -> tuple[Subscriber, int]:
        """Out of the list, wherever he stands; the order of the rest is no matter."""
        place = self._dice.randrange(len(people))
        people[place], people[-1] = people[-1], people[place]
        return people.pop()
