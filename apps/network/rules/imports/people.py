"""One user of another RADIUS server, in DotMac's words."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from apps.network.rules.credentials import (
    MalformedText,
    checked_login,
    checked_password,
)
from apps.network.rules.imports.rates import Pair, Rate, rate_of, speaks_of_rate

SESSIONS_MAX = 32767
# The NAS chooses: 255.255.255.254 (RFC 2865 5.8); the user does: …255.
_NAS_CHOOSES = frozenset({"255.255.255.254", "255.255.255.255"})
# How an address is said, and what the pool that it is of is for (enums.PoolUse).
ADDRESSES: Final = {
    "Framed-IP-Address": "address",
    "Framed-IPv6-Address": "address",
    "Framed-IPv6-Prefix": "link",
    "Delegated-IPv6-Prefix": "delegated",
    "Framed-Route": "routed",
    "Framed-IPv6-Route": "routed",
}
_POOLS = frozenset({"Framed-Pool", "Pool-Name"})
_TIMES = {
    "Acct-Interim-Interval": ("interim_s", 60, 86400),
    "Idle-Timeout": ("idle_s", 0, 86400 * 31),
}
# What the server must say by itself, and what says nothing of one address.
_NEEDLESS = {("Session-Timeout", None), ("Framed-IP-Netmask", "255.255.255.255")}
_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_DAY_FIRST = re.compile(r"^(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4})(?:[ T](.+))?$")
_MONTH_FIRST = re.compile(
    r"^([A-Za-z]{3,9})[ /](\d{1,2})[ /,]+(\d{4})(?:[ T]+(\S+))?(?: [A-Z]{3,4})?$"
)
_ISO = re.compile(r"^(\d{4})-(\d{2})-(\d{2})(?:[ T](.+))?$")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedUser:
    """What an account would be opened with; `faults` say why it cannot be.

    `addresses` are pairs of what the pool is for and the address or block. `extras`
    are attributes for which an account has no place: only the attributes of a NAS or
    its vendor's map may cover them.
    """

    place: str
    login: str
    password: str = ""
    rate: Rate | None = None
    sessions_max: int = 0
    expires_at: datetime | None = None
    mac: str = ""
    addresses: tuple[Pair, ...] = ()
    pool: str = ""
    interim_s: int = 0
    idle_s: int = 0
    switched_off: bool = False
    extras: tuple[Pair, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON can keep it; `user_of` reads it back."""
        facts = asdict(self)
        if self.expires_at is not None:
            facts["expires_at"] = self.expires_at.isoformat()
        return facts


def user_of(document: dict[str, Any]) -> ImportedUser:
    """The user of a document made by `ImportedUser.document`."""
    facts = dict(document)
    if facts["rate"] is not None:
        facts["rate"] = Rate(**facts["rate"])
    if facts["expires_at"] is not None:
        facts["expires_at"] = datetime.fromisoformat(facts["expires_at"])
    for name in ("addresses", "extras"):
        facts[name] = tuple((first, second) for first, second in facts[name])
    for name in ("faults", "notes"):
        facts[name] = tuple(facts[name])
    return ImportedUser(**facts)


@dataclass(slots=True)
class Draft:
    """A user while it is read: every complaint is kept, not the first only."""

    place: str
    login: str
    facts: dict[str, Any] = field(default_factory=dict)
    extras: list[Pair] = field(default_factory=list)
    addresses: list[Pair] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        if reason not in self.faults:
            self.faults.append(reason)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def take(self, name: str, rule: Callable[[str], Any], text: str) -> None:
        """What the rule makes of the text; its complaint is kept."""
        try:
            self.facts[name] = rule(text)
        except MalformedText as complaint:
            self.refuse(str(complaint))

    def done(self, *, password: str | None) -> ImportedUser:
        self.take("login", checked_login, self.login)
        self.facts["login"] = self.login
        if password is not None:
            self.take("password", checked_password, password)
        elif not any("password" in fault.lower() for fault in self.faults):
            self.refuse("It has no password.")
        return ImportedUser(
            place=self.place, **self.facts, extras=tuple(self.extras),
            addresses=tuple(self.addresses), faults=tuple(self.faults),
            notes=tuple(self.notes),
        )  # fmt: skip


def read_reply(draft: Draft, pairs: Sequence[Pair]) -> None:
    """What a server answers with: speed, addresses, pool, times; the rest is extra."""
    try:
        draft.facts["rate"] = rate_of(pairs)
    except MalformedText as complaint:
        draft.refuse(str(complaint))
    for name, value in pairs:
        if speaks_of_rate((name, value)) or name == "Fall-Through":
            continue
        if name in ADDRESSES:
            _address(draft, name, value)
        elif name in _POOLS:
            draft.facts["pool"] = value
        elif name in _TIMES:
            fact, low, high = _TIMES[name]
            draft.take(fact, whole(name, low, high), value)
        elif (name, value) in _NEEDLESS or (name, None) in _NEEDLESS:
            draft.note(f"{name} {value} is not kept: DotMac says its own.")
        else:
            draft.extras.append((name, value))


def whole(name: str, low: int, high: int) -> Callable[[str], int]:
    """A rule: a whole number within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,10}", text.strip()) or not low <= int(text) <= high:
            raise MalformedText(f"{name} is a number from {low} to {high}, not {text}.")
        return int(text)

    return read


def instant(zone: tzinfo) -> Callable[[str], datetime | None]:
    """A rule: when an account ends, as FreeRADIUS, daloRADIUS and MikroTik write it.

    A date alone ends at its first second, as rlm_expiration has it; times are those
    of the zone.
    """

    def read(text: str) -> datetime | None:
        text = text.strip()
        parts = _parts(text)
        if parts is None:
            raise MalformedText(f"An end looks like 31 Dec 2027, not {text}.")
        year, month, day, clock = parts
        match = _CLOCK.match(clock) if clock else None
        if clock and match is None:
            raise MalformedText(f"A time looks like 23:59:59, not {clock}.")
        hour, minute, second = (
            (int(n or 0) for n in match.groups()) if match else (0,) * 3
        )
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            raise MalformedText(f"There is no such day or time: {text}.") from None

    return read


def _parts(text: str) -> tuple[int, int, int, str] | None:
    if match := _ISO.match(text):
        return int(match[1]), int(match[2]), int(match[3]), match[4] or ""
    if match := _DAY_FIRST.match(text):
        day, name, year, clock = match.groups()
    elif match := _MONTH_FIRST.match(text):
        name, day, year, clock = match.groups()
    else:
        return None
    month = name[:3].lower()
    if month not in _MONTHS:
        return None
    return int(year), _MONTHS.index(month) + 1, int(day), clock or ""


def _address(draft: Draft, name: str, value: str) -> None:
    if value in _NAS_CHOOSES:
        draft.note("The NAS chooses the address; no address is given.")
        return
    # A route is: destination, gateway, metric (RFC 2865 5.22).
    text = value.strip().partition(" ")[0]
    try:
        if ADDRESSES[name] == "address":
            found = str(ipaddress.ip_address(text))
        else:
            found = str(ipaddress.ip_network(text))
    except ValueError:
        draft.refuse(f"{name} cannot be read: {value}.")
        return
    pair = (ADDRESSES[name], found)
    if pair not in draft.addresses:
        draft.addresses.append(pair)
