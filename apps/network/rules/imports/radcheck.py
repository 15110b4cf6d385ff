"""Users of FreeRADIUS's SQL schema, as rlm_sql would answer them.

The order is the server's: the user's own rows, then those of its groups by priority;
a further group counts only where the one before says Fall-Through = Yes. `:=` takes
the place of what is there, `=` yields to it, `+=` comes besides (rlm_sql, 3.x).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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

_CLEAR = frozenset({"Cleartext-Password", "User-Password"})
_HEADER = "Password-With-Header"
_CLEAR_HEADERS = ("{clear}", "{cleartext}")
# Nobody can read a password out of these (RFC 2307's, and FreeRADIUS's names).
_HASHED = re.compile(
    r"^(Crypt|MD5|SMD5|SHA\d?|SHA\d?-\d+|SSHA\d?|SSHA\d?-\d+|NT|LM|PBKDF2|NS-MTA-MD5)"
    r"-Password$"
)
_KINDS_OF_LOGIN = frozenset(
    {"Local", "PAP", "CHAP", "MS-CHAP", "MSCHAP", "EAP", "System"}
)
_COMPARES = frozenset({"!=", "=~", "!~", ">", ">=", "<", "<=", "=*", "!*"})
_SETS = frozenset({":=", "=", "+=", "=="})


@dataclass(frozen=True, slots=True)
class Item:
    """An attribute with its operator, quotes taken off."""

    name: str
    op: str
    value: str
    place: str


@dataclass(slots=True)
class _Groups:
    """Rows of the groups, and which user is in which, by priority."""

    checks: dict[str, list[Item]]
    replies: dict[str, list[Item]]
    of_user: dict[str, list[str]]


def users_of_radius(tables: Tables, zone: tzinfo) -> list[ImportedUser]:
    """Every user of radcheck, in its order; rows that are nobody's come as users
    that cannot be imported, so that none is lost. Ends of accounts are in the zone."""
    checks = _by_owner(tables.of("radcheck"), "username")
    replies = _by_owner(tables.of("radreply"), "username")
    groups = _Groups(
        _by_owner(tables.of("radgroupcheck"), "groupname"),
        _by_owner(tables.of("radgroupreply"), "groupname"),
        _members(tables.of("radusergroup")),
    )
    users = [
        _user(login, checks[login], replies.get(login, []), groups, zone)
        for login in checks
    ]
    return [*_with_doubles(users), *_strangers(tables, checks.keys())]


def _by_owner(rows: Iterable[Row], column: str) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        item = Item(
            row.get("attribute").strip(), row.get("op").strip() or "==",
            row.get("value"), row.place,
        )  # fmt: skip
        found[row.get(column)].append(item)
    return dict(found)


def _members(rows: Iterable[Row]) -> dict[str, list[str]]:
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        text = row.get("priority").strip()
        priority = int(text) if re.fullmatch(r"-?\d{1,9}", text) else 1
        found[row.get("username")].append((priority, row.get("groupname")))
    return {
        login: [name for _, name in sorted(mine, key=lambda one: one[0])]
        for login, mine in found.items()
    }


def _user(
    login: str, checks: list[Item], replies: list[Item], groups: _Groups, zone: tzinfo
) -> ImportedUser:
    draft = Draft(checks[0].place, login)
    asked, told = _clean(draft, checks), _merged([], _clean(draft, replies))
    mine = groups.of_user.get(login, [])
    # The user's own answer may end it here: Fall-Through = No.
    going_on = _falls_through(replies, silent=True)
    for name in mine if going_on else []:
        asked = _merged(asked, _clean(draft, groups.checks.get(name, [])))
        rows = groups.replies.get(name, [])
        told = _merged(told, _clean(draft, rows))
        if not _falls_through(rows, silent=False):
            break
    password = _read_checks(draft, asked, zone)
    read_reply(draft, [(item.name, item.value) for item in told])
    return draft.done(password=password)


def _falls_through(items: Sequence[Item], *, silent: bool) -> bool:
    for item in items:
        if item.name == "Fall-Through":
            return item.value.strip().lower() in ("yes", "1")
    return silent


def _clean(draft: Draft, items: Sequence[Item]) -> list[Item]:
    """Quotes taken off; what the server would compute for each login is refused."""
    kept = []
    for item in items:
        value = item.value
        quote = value[:1]
        if len(value) >= 2 and quote in "'\"`" and value.endswith(quote):
            value = value[1:-1]
            if quote == "`" or (quote == '"' and "%{" in value):
                draft.refuse(f"{item.name} is computed for each login: {value}.")
                continue
        if item.op not in _SETS and item.op not in _COMPARES:
            draft.refuse(f"{item.name} has no operator that is known: {item.op}.")
            continue
        kept.append(Item(item.name, item.op, value, item.place))
    return kept


def _merged(before: list[Item], items: Sequence[Item]) -> list[Item]:
    """Items moved in behind others, as each operator says."""
    merged = list(before)
    for item in items:
        there = any(item.name == other.name for other in merged)
        if item.op == ":=":
            merged = [other for other in merged if other.name != item.name]
        elif item.op == "=" and there:
            continue
        merged.append(item)
    return merged


def _read_checks(draft: Draft, items: Sequence[Item], zone: tzinfo) -> str | None:
    """What is asked of a login; returns its password where that can be read."""
    readers: dict[str, Callable[[Item], None]] = {
        "Simultaneous-Use": lambda item: draft.take(
            "sessions_max", whole(item.name, 0, SESSIONS_MAX), item.value
        ),
        "Expiration": lambda item: draft.take("expires_at", instant(zone), item.value),
        "Calling-Station-Id": lambda item: draft.take("mac", canonical_mac, item.value),
        "Auth-Type": lambda item: _auth_type(draft, item.value),
        "Pool-Name": lambda item: draft.facts.update(pool=item.value),
    }
    passwords: list[str] = []
    for item in items:
        if item.name in _CLEAR or item.name == _HEADER or _HASHED.match(item.name):
            _password(draft, item, passwords)
        elif item.name in readers and item.op not in _COMPARES:
            readers[item.name](item)
        else:
            draft.refuse(
                f"{item.name} {item.op} {item.value} is asked of a login, and DotMac"
                " has no such condition."
            )
    if len(set(passwords)) > 1:
        draft.refuse("It has more than one password.")
    return passwords[0] if passwords else None


def _password(draft: Draft, item: Item, passwords: list[str]) -> None:
    value = item.value
    if item.op in _COMPARES:
        draft.refuse(f"Its password is compared by {item.op}: give it a new one.")
    elif item.name in _CLEAR:
        passwords.append(value)
    elif item.name == _HEADER and value.lower().startswith(_CLEAR_HEADERS):
        passwords.append(value.partition("}")[2])
    else:
        draft.refuse(
            f"Its password cannot be read back ({item.name}): give it a new one."
        )


def _auth_type(draft: Draft, value: str) -> None:
    if value == "Reject":
        draft.facts["switched_off"] = True
    elif value == "Accept":
        draft.refuse("It is let in with any password.")
    elif value not in _KINDS_OF_LOGIN:
        draft.refuse(f"Its logins go elsewhere: Auth-Type {value}.")


def _with_doubles(users: list[ImportedUser]) -> list[ImportedUser]:
    """Logins that only case sets apart: a MySQL server took them for one."""
    seen: dict[str, ImportedUser] = {}
    kept = []
    for user in users:
        first = seen.setdefault(user.login.casefold(), user)
        if first is not user:
            kept.append(_noted(user, first))
        else:
            kept.append(user)
    return kept


def _noted(user: ImportedUser, first: ImportedUser) -> ImportedUser:
    note = f"Only case sets it apart from {first.login} ({first.place})."
    return replace(user, notes=(*user.notes, note))


def _strangers(tables: Tables, known: Iterable[str]) -> list[ImportedUser]:
    """Rows of radreply and radusergroup whose user has no row in radcheck."""
    mine, found = set(known), []
    for table in ("radreply", "radusergroup"):
        for row in tables.of(table):
            login = row.get("username")
            if login not in mine:
                mine.add(login)
                reason = "radcheck has no such user: it has no password."
                found.append(
                    ImportedUser(place=row.place, login=login, faults=(reason,))
                )
    return found
