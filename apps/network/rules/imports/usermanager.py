"""Users of MikroTik's User Manager, version 6 and 7.

Columns are the properties of RouterOS: v6 `username, password, customer, actual-profile,
shared-users, caller-id, ip-address, pool-name…`, v7 `name, password, group, shared-users,
attributes, caller-id, disabled, comment`. Speeds stand in limitations, which a profile
has (profile-limitation) and a user is given (user-profile, or v6's actual-profile).
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import tzinfo

from apps.network.rules.credentials import canonical_mac
from apps.network.rules.imports.files import Row, Tables
from apps.network.rules.imports.people import (
    SESSIONS_MAX,
    Draft,
    ImportedUser,
    instant,
    read_reply,
    whole,
)
from apps.network.rules.imports.rates import MIKROTIK, Pair

_YES = frozenset({"yes", "true", "1"})
_NOTHING = frozenset({"", "0", "0s", "none", "unlimited", "never"})
# What an account has no place for, and what its end would be without it.
_LIMITS = ("uptime-limit", "download-limit", "upload-limit", "transfer-limit")
_BURSTS = ("burst", "burst-threshold", "burst-time")


def users_of_user_manager(tables: Tables, zone: tzinfo) -> list[ImportedUser]:
    """Every user of the file, in its order; a login that comes twice is refused the
    second time. Ends of profiles are read on the zone's clock."""
    limits = {row.get("name"): row for row in tables.of("limitation")}
    of_profile: dict[str, list[str]] = defaultdict(list)
    for row in tables.of("profile-limitation"):
        of_profile[row.get("profile")].append(row.get("limitation"))
    given: dict[str, list[Row]] = defaultdict(list)
    for row in tables.of("user-profile"):
        given[row.get("user")].append(row)

    users, first = [], {}  # type: tuple[list[ImportedUser], dict[str, str]]
    for row in tables.of("users"):
        login = row.get("username", "name")
        draft = Draft(row.place, login)
        if login in first:
            draft.refuse(f"The login comes twice, first in {first[login]}.")
        first.setdefault(login, row.place)
        profile = _profile(draft, row, given.get(login, []), zone)
        pairs = _speed(draft, profile, of_profile, limits)
        users.append(_user(draft, row, pairs))
    return users


def _user(draft: Draft, row: Row, pairs: list[Pair]) -> ImportedUser:
    if row.get("disabled").lower() in _YES:
        draft.facts["switched_off"] = True
    shared = row.get("shared-users").strip().lower()
    if shared not in _NOTHING:
        draft.take("sessions_max", whole("shared-users", 1, SESSIONS_MAX), shared)
    caller = row.get("caller-id").strip()
    if caller.lower().startswith("bind"):
        draft.refuse("It binds itself to the first device: DotMac has no such lock.")
    elif caller:
        draft.take("mac", canonical_mac, caller)
    for name in _LIMITS:
        if row.get(name).strip().lower() not in _NOTHING:
            draft.refuse(f"A limit is not kept: {name} {row.get(name)}.")
    if row.get("otp-secret"):
        draft.refuse("It logs in with a one-time code: DotMac has none for lines.")
    read_reply(draft, [*_answers(row), *_attributes(draft, row), *pairs])
    return draft.done(password=row.cells.get("password"))


def _answers(row: Row) -> list[Pair]:
    """What v6 keeps in columns of its own."""
    found = []
    for column, name in (
        ("ip-address", "Framed-IP-Address"), ("pool-name", "Framed-Pool"),
        ("address-list", "Mikrotik-Address-List"),
    ):  # fmt: skip
        value = row.get(column).strip()
        if value.lower() not in _NOTHING and value.strip("0."):
            found.append((name, value))
    return found


def _attributes(draft: Draft, row: Row) -> list[Pair]:
    """v7's attributes: Name:value, many of them with commas between."""
    found = []
    for part in re.split(r",(?=[A-Za-z][\w-]*:)", row.get("attributes").strip()):
        name, colon, value = part.strip().partition(":")
        if name and colon:
            found.append((name, value))
        elif name:
            draft.refuse(f"Its attributes cannot be read: {part}.")
    return found


def _profile(draft: Draft, row: Row, given: list[Row], zone: tzinfo) -> str:
    """The profile that runs, and when it ends."""
    running = [one for one in given if "running" in one.get("state").lower()]
    chosen = next(iter(running or given), None)
    end = row.get("till-time") if chosen is None else chosen.get("end-time")
    if end.strip().lower() not in _NOTHING:
        draft.take("expires_at", instant(zone), end.replace("/", " "))
    return row.get("actual-profile") if chosen is None else chosen.get("profile")


def _speed(
    draft: Draft, profile: str, of_profile: dict[str, list[str]], limits: dict[str, Row]
) -> list[Pair]:
    """The rate-limit of the profile's limitation, as the router is told it."""
    if not profile:
        return []
    names = of_profile.get(profile, [])
    found = [limits[name] for name in names if name in limits]
    if not found:
        draft.note(f"The speed of its profile {profile} was not in the file.")
        return []
    told = {_rate_limit(one) for one in found} - {""}
    if len(told) > 1:
        draft.refuse(f"Its profile {profile} has several speeds, by time or day.")
    for one in found:
        for name in _LIMITS:
            if one.get(name).strip().lower() not in _NOTHING:
                draft.refuse(f"A limit of its profile is not kept: {name}.")
    return [(MIKROTIK, next(iter(told)))] if len(told) == 1 else []


def _rate_limit(row: Row) -> str:
    """rx/tx burst threshold time priority, with 0 for what is not said."""

    def both(part: str) -> str:
        values = [
            row.get(f"rate-limit-{part}{way}").strip() or "0" for way in ("rx", "tx")
        ]
        return "/".join(value.removesuffix("bps") for value in values)

    if both("") == "0/0":
        return ""
    words = [both(""), *(both(f"{part}-") for part in _BURSTS)]
    # The time of no burst is no time.
    words[3] = words[3].replace("s", "")
    priority = row.get("rate-limit-priority").strip()
    if words[1] == "0/0":
        words = words[:1] if not priority else [words[0], "0/0", "0/0", "0/0"]
    return " ".join([*words, priority] if priority else words)
