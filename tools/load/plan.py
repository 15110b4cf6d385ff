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
# After any number of interims that is sent here: neither time nor octets go back.
_STOP = {"seconds": 36_000, "octets": 5_000_000_000}


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
    spreads them over its sockets. `rate` sets what the NAS's clock says in each.
    """

    secret: bytes
    prefix: str
    rate: float = 0.0
    began: float = 0.0

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
        self,
        number: int,
        who: Subscriber,
        status: str,
        turn: int = 0,
        interims: int = 1,
    ) -> Request:
        """A packet of the subscriber's session, or of a later one (`turn`) of his.

        Counters grow with the `interims` that there have been, this one included.
        """
        session = Session(
            f"{self.prefix}.{turn}-{who.login}", self._clock(number),
            address=who.address, **_counters(status, interims),
        )  # fmt: skip
        data = packets.accounting_request(
            number, status, who.login, self.secret, session, mac=mac_of(who.login)
        )
        return Request(status, who.login, data, packets.ACCOUNTING_RESPONSE)

    def _clock(self, number: int) -> int:
        began = self.began or time.time()
        return int(began + (number / self.rate if self.rate else 0))


def _counters(status: str, interims: int) -> dict[str, int]:
    if status == "Stop":
        return _STOP
    past = 0 if status == "Start" else interims
    return {name: value * past for name, value in _INTERIM.items()}


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
    """One kind of accounting packet, for the subscribers in turn.

    Where there are more packets than subscribers, further Starts and Stops are of
    further sessions, further interims of the same ones.
    """
    made = []
    for number in range(count):
        turn, place = divmod(number, len(subscribers))
        more = {"interims": turn + 1} if status == "Interim-Update" else {"turn": turn}
        made.append(make.accounting(number, subscribers[place], status, **more))
    return made


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
            kind, line = lines.take(kind)
            made.append(
                make.accounting(number, line.who, kind, line.turn, line.interims)
            )
    return made


@dataclass(slots=True)
class _Line:
    """A subscriber, his how many-th session it is, and how many interims it had."""

    who: Subscriber
    turn: int = 0
    interims: int = 0


class _Lines:
    """Who is on line in a mixture, and who is not."""

    def __init__(self, subscribers: Sequence[Subscriber], dice: random.Random) -> None:
        self._idle, self._dice = [_Line(who) for who in subscribers], dice
        self._online: list[_Line] = []

    def take(self, kind: str) -> tuple[str, _Line]:
        """Somebody for a packet of this kind, or of the one that is possible.

        A line is as it was for this packet until the next call.
        """
        if kind != "Start" and not self._online:
            kind = "Start"
        elif kind == "Start" and not self._idle:
            kind = "Interim-Update"
        if kind == "Start":
            line = self._drawn(self._idle)
            self._online.append(line)
        elif kind == "Stop":
            line = self._drawn(self._online)
            self._idle.append(_Line(line.who, line.turn + 1))
        else:
            line = self._dice.choice(self._online)
            line.interims += 1
        return kind, line

    def _drawn(self, lines: list[_Line]) -> _Line:
        """Out of the list, wherever it stands; the order of the rest is no matter."""
        place = self._dice.randrange(len(lines))
        lines[place], lines[-1] = lines[-1], lines[place]
        return lines.pop()
