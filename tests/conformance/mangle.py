"""Packets of every kind, what may become of them on the way, and which still count.

The judges here read bytes by the RFCs alone, with nothing of the code under test.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.conformance import wire
from tests.conformance.peer import Peer

ACCESS, ACCOUNTING, STATUS_SERVER = 1, 4, 12
NAME, PASSWORD, CHAP, FRAMED, VENDOR, CHALLENGE = 1, 2, 3, 8, 26, 60
ACCT_STATUS, ACCT_SESSION, EAP, SIGNATURE = 40, 44, 79, 80
HEAD = 20
STATUSES = {"Start": 1, "Stop": 2, "Interim-Update": 3}
ON, OFF = 7, 8

Attribute = tuple[int, bytes]


@dataclass(frozen=True)
class Person:
    """A login, its password, and the name of its session."""

    login: bytes
    password: bytes
    session: bytes


def seeds(people: list[Person], secret: bytes) -> list[bytes]:
    """One right packet of each kind for each person."""
    made = []
    for person in people:
        made += [*_logins(person, secret), *_accounting(person, secret)]
    for status in (ON, OFF):
        made.append(wire.accounting_request(secret, status=status))
    probe = wire.attribute(SIGNATURE, bytes(16))
    head = struct.pack("!BBH", STATUS_SERVER, 0, HEAD + len(probe)) + bytes(range(16))
    return [*made, signed(head + probe, secret)]


def _logins(person: Person, secret: bytes) -> Iterator[bytes]:
    mac = wire.attribute(31, b"02-AA-BB-CC-DD-EE") + wire.attribute(87, b"ether1")
    yield wire.access_request(person.login, person.password, secret, extra=mac)
    login = wire.attribute(NAME, person.login)
    challenge = b"0123456789abcdef"
    chap = b"\x05" + _md5(b"\x05" + person.password + challenge)
    yield wire.signed_request(
        login + wire.attribute(CHAP, chap) + wire.attribute(CHALLENGE, challenge),
        secret,
    )
    yield Peer(person.login, person.password.decode()).request(secret)
    identity = struct.pack("!BBHB", 2, 0, 5 + len(person.login), 1) + person.login
    yield wire.signed_request(login + wire.attribute(EAP, identity), secret)


def _accounting(person: Person, secret: bytes) -> Iterator[bytes]:
    about = [
        wire.attribute(NAME, person.login),
        wire.attribute(ACCT_SESSION, person.session),
        wire.attribute(31, b"02-AA-BB-CC-DD-EE"),
        wire.attribute(87, b"ether1"),
        wire.attribute(FRAMED, bytes([100, 64, 3, 4])),
        wire.attribute(97, b"\0\x40" + bytes.fromhex("20010db800000000")),
        wire.vendor(3561, 1, b"olt1/1/2"),
        wire.attribute(25, b"of another server"),
    ]
    counters = [
        wire.attribute(code, struct.pack("!I", value))
        for code, value in ((42, 900), (43, 7000), (52, 1), (53, 2), (46, 300), (41, 1))
    ]
    for status, number in STATUSES.items():
        more = [] if status == "Start" else counters
        cause = [wire.attribute(49, struct.pack("!I", 1))] if status == "Stop" else []
        yield wire.accounting_request(secret, *about, *more, *cause, status=number)


# --- What happens on the way --------------------------------------------------------

# Values that programs in other languages trip over.
_TEXTS = (
    b"'", b"''; SELECT pg_sleep(9); --", b'"', b"\\", b"\\x00", b"%{User-Name}", b"$1",
    b"%{sql:SELECT 1}", b"`id`", b"\0", b"a\0b", b"\xff\xfe", "ọ用".encode(), b"%n%s",
    b"=27", b"0x41", b"A" * 253, b"'" * 253, b"\\" * 253, b"\xff" * 253, bytes(253), b"",
    b"infinity", b"NaN", b"1e999", b"-1", b"99999999999999999999", b"1970-01-01",
)  # fmt: skip
_NUMBERS = tuple(
    struct.pack("!I", n) for n in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 31_536_001)
)
_CODES = (0, 2, 3, 5, 11, 13, 40, 41, 43, 44, 255)


def mangled(dice: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """The packet after one to three accidents; `others` lend their attributes."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        data = dice.choice(_ACCIDENTS)(dice, data, others)
    return data


def _flip(dice: random.Random, data: bytes, _: list[bytes]) -> bytes:
    found = bytearray(data)
    for _each in range(dice.randint(1, 8)):
        if found:
            found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
    return bytes(found)


def _wrong_length(dice: random.Random, data: bytes, _: list[bytes]) -> bytes:
    told = dice.choice((0, 19, len(data) + dice.randint(-9, 9), dice.randrange(65536)))
    return data[:2] + struct.pack("!H", told & 0xFFFF) + data[4:]


def _truncated(dice: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _longer(dice: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data + dice.randbytes(dice.choice((1, 2, 40, 300, 4096)))


def _other_code(dice: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return bytes([dice.choice((*_CODES, ACCESS, ACCOUNTING, STATUS_SERVER))]) + data[1:]


def _noise(dice: random.Random, _: bytes, __: list[bytes]) -> bytes:
    return dice.randbytes(dice.randrange(200))


def _in_attributes(
    change: Callable[[random.Random, list[Attribute], list[bytes]], None],
) -> Callable[[random.Random, bytes, list[bytes]], bytes]:
    """An accident of the list of attributes; the packet's length follows it."""

    def accident(dice: random.Random, data: bytes, others: list[bytes]) -> bytes:
        found = list(attributes(data))
        change(dice, found, others)
        body = b"".join(
            bytes([code]) + bytes([min(len(value) + 2, 255)]) + value[:253]
            for code, value in found
        )
        size = struct.pack("!H", min(HEAD + len(body), 65535))
        return data[:2] + size + data[4:HEAD].ljust(16, b"\0") + body

    return accident


def _spliced(dice: random.Random, found: list[Attribute], others: list[bytes]) -> None:
    lent = list(attributes(dice.choice(others)))
    for each in dice.sample(lent, dice.randint(0, len(lent))):
        found.insert(dice.randint(0, len(found)), each)


def _shuffled(dice: random.Random, found: list[Attribute], _: list[bytes]) -> None:
    dice.shuffle(found)


def _repeated(dice: random.Random, found: list[Attribute], _: list[bytes]) -> None:
    if found:
        found += [dice.choice(found)] * dice.choice((1, 2, 30, 250))


def _dropped(dice: random.Random, found: list[Attribute], _: list[bytes]) -> None:
    if found:
        del found[dice.randrange(len(found))]


def _other_value(dice: random.Random, found: list[Attribute], _: list[bytes]) -> None:
    if found:
        place = dice.randrange(len(found))
        values = (*_TEXTS, *_NUMBERS, dice.randbytes(dice.randrange(254)))
        found[place] = (found[place][0], dice.choice(values))


def _other_name(dice: random.Random, found: list[Attribute], _: list[bytes]) -> None:
    if found:
        place = dice.randrange(len(found))
        found[place] = (dice.randrange(256), found[place][1])


def _vendors(dice: random.Random, found: list[Attribute], _: list[bytes]) -> None:
    number = dice.choice((311, 3561, 2352, 9, 14988, 0, 0xFFFFFFFF))
    inner = bytes([dice.randrange(256), dice.choice((0, 1, 2, 3, 8, 255))])
    value = struct.pack("!I", number) + inner + dice.randbytes(dice.randrange(40))
    found.insert(dice.randint(0, len(found)), (VENDOR, value))


def _wrong_inner_length(dice: random.Random, data: bytes, _: list[bytes]) -> bytes:
    places = list(_places(data))
    if not places:
        return data
    place = dice.choice(places) + 1
    return data[:place] + bytes([dice.choice((0, 1, 2, 3, 255))]) + data[place + 1 :]


_ACCIDENTS = (
    _flip, _wrong_length, _truncated, _longer, _other_code, _noise, _wrong_inner_length,
    *map(_in_attributes, (_spliced, _shuffled, _repeated, _dropped, _other_value,
                          _other_value, _other_value, _other_name, _vendors)),
)  # fmt: skip


# --- Signatures, and who may believe a packet -----------------------------------------


def signed(data: bytes, secret: bytes) -> bytes:
    """With the length and the signatures that its sender would have written now.

    What an Access-Request hides with its authenticator stays as it was.
    """
    if len(data) < HEAD:
        return data
    data = data[:2] + struct.pack("!H", min(len(data), 65535)) + data[4:]
    accounting = data[0] == ACCOUNTING
    if accounting:
        data = data[:4] + bytes(16) + data[HEAD:]
    for place in _places(data):
        if data[place : place + 2] == bytes([SIGNATURE, 18]):
            data = data[: place + 2] + bytes(16) + data[place + 18 :]
            proof = hmac.digest(secret, data, "md5")
            data = data[: place + 2] + proof + data[place + 18 :]
            break
    if accounting:
        data = data[:4] + _md5(data + secret) + data[HEAD:]
    return data


def told(data: bytes) -> bytes | None:
    """The packet without what lies behind its end; None where it has none."""
    if len(data) < HEAD:
        return None
    size = int.from_bytes(data[2:4], "big")
    return data[:size] if HEAD <= size <= len(data) else None


def is_accounting(data: bytes, secret: bytes) -> bool:
    """An Accounting-Request of somebody who knows the secret (RFC 2866, 3)."""
    packet = told(data)
    if packet is None or packet[0] != ACCOUNTING:
        return False
    bare = packet[:4] + bytes(16) + packet[HEAD:] + secret
    return hmac.compare_digest(_md5(bare), packet[4:HEAD])


def is_signed(data: bytes, secret: bytes) -> bool:
    """A Message-Authenticator of somebody who knows the secret (RFC 3579, 3.2)."""
    packet = told(data)
    if packet is None:
        return False
    for place in _places(packet):
        if packet[place : place + 2] == bytes([SIGNATURE, 18]):
            proof, rest = packet[place + 2 : place + 18], packet[place + 18 :]
            bare = packet[: place + 2] + bytes(16) + rest
            if hmac.compare_digest(hmac.digest(secret, bare, "md5"), proof):
                return True
    return False


def proves_password(data: bytes, people: list[Person], secret: bytes) -> bool:
    """Does it say a login with its right password, by PAP, CHAP or MS-CHAPv2?

    Where an attribute is there twice, either may be meant.
    """
    packet = told(data)
    if packet is None or packet[0] != ACCESS or not is_signed(packet, secret):
        return False
    found = list(attributes(packet))
    names = {value for code, value in found if code == NAME}
    return any(
        person.login in names and _proves(packet, found, person, secret)
        for person in people
    )


def _proves(
    packet: bytes, found: list[Attribute], person: Person, secret: bytes
) -> bool:
    authenticator = packet[4:HEAD]
    hidden = wire.hidden(person.password, secret, authenticator)
    challenges = [value for code, value in found if code == CHALLENGE]
    for code, value in found:
        # Behind the password there may be zeros, or nothing else.
        if code == PASSWORD and value[: len(hidden)] == hidden:
            return True
        if code == CHAP:
            for challenge in (*challenges, authenticator):
                if value[1:] == _md5(value[:1] + person.password + challenge):
                    return True
        if (
            code == VENDOR
            and value[:5] == struct.pack("!IB", 311, 25)
            and _proves_mschap(found, value[6:], person)
        ):
            return True
    return False


def _proves_mschap(found: list[Attribute], response: bytes, person: Person) -> bool:
    mark = struct.pack("!IB", 311, 11)
    for code, value in found:
        if code == VENDOR and value[:5] == mark and len(response) == 50:
            peer = Peer(
                person.login, person.password.decode(), challenge=value[6:],
                own_challenge=response[2:18],
            )  # fmt: skip
            if peer.answer == response[26:50]:
                return True
    return False


def names(data: bytes) -> set[tuple[bytes, bytes]]:
    """The sessions that an Accounting-Request may be about: by login and by its id."""
    found = list(attributes(told(data) or b""))
    logins = {value for code, value in found if code == NAME} or {b""}
    ids = {value for code, value in found if code == ACCT_SESSION}
    return {(login, session) for login in logins for session in ids}


def attributes(data: bytes) -> Iterator[Attribute]:
    """As far as they can be read."""
    for place in _places(data):
        yield data[place], data[place + 2 : place + data[place + 1]]


def _places(data: bytes) -> Iterator[int]:
    place = HEAD
    while place + 2 <= len(data):
        size = data[place + 1]
        if size < 2 or place + size > len(data):
            return
        yield place
        place += size


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
