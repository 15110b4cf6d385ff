"""Decisions on their way into the database: one line each, a file a minute.

Both servers write the same lines (FreeRADIUS by linelog): instant, verdict, reason
(a hold's behind a colon), NAS, login and MAC address in base64, how many decisions it
stands for, the account where the login does not tell it (else 0), and how many
microseconds the decision took; FreeRADIUS writes the seconds and microseconds of the
end and the microseconds of the beginning instead. A job reads files that are complete,
so that no login waits for an insert.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from apps.network.rules.credentials import text_of_octets

log = structlog.get_logger(__name__)

# Files whose minute is over this long are complete.
SETTLED_S = 15
MINUTE_S = 60
FILE_BYTES_MAX = 64_000_000
BYTES_MAX = 512_000_000
FILES_MAX = 100_000
# A clock that was put back or ahead meanwhile tells nothing longer.
TOOK_US_MAX = 60_000_000
# Ten digits of seconds since 1970. More are the beginnings of two lines: the first was
# cut off by a disk that was full.
AT_MAX = 9_999_999_999
SAMPLE_OF_MAX, ACCOUNT_MAX = 1_000_000, 2**63 - 1
# Without the last ones, in files of before they were written.
_FIELDS = (6, 8, 9)
_SUFFIX = ".log"


@dataclass(frozen=True, slots=True)
class Decision:
    """One line: what was asked, and what was decided for which reason."""

    at: int
    accepted: bool
    reason: str
    nas: str
    login: str
    mac: str
    hold: str = ""
    sample_of: int = 1
    account: int = 0
    took_us: int | None = None

    def line(self) -> str:
        verdict = "accept" if self.accepted else "reject"
        reason = f"{self.reason}:{self.hold}" if self.hold else self.reason
        names = (_encode(self.login), _encode(self.mac))
        numbers = (self.sample_of, self.account, self.took_us or 0)
        return (
            " ".join(map(str, (self.at, verdict, reason, self.nas, *names, *numbers)))
            + "\n"
        )


class Spool:
    """Appends lines. A full disk costs lines, never an answer.

    So does a folder of more than `bytes_max`: nobody reads it, or not fast enough.
    How many were lost is logged once a minute.
    """

    def __init__(self, folder: Path, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._minute = self._bytes = self._lost = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, decision: Decision) -> None:
        minute, line = decision.at // MINUTE_S, decision.line().encode()
        with self._lock:
            if minute != self._minute:
                self._begin(minute)
            if self._bytes + len(line) > self._bytes_max:
                self._lost += 1
                return
            try:
                self._append(self._folder / f"{minute}{_SUFFIX}", line)
                self._bytes += len(line)
            except OSError:
                self._lost += 1

    def _begin(self, minute: int) -> None:
        """Look once a minute what lies there: a worker takes files away."""
        if self._lost:
            log.warning("radius.decisions_lost", lost=self._lost)
        self._minute, self._lost = minute, 0
        self._bytes = sum(size for _, size in _sizes(self._folder))

    @staticmethod
    def _append(path: Path, line: bytes) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


def take_away(
    folder: Path, *, bytes_max: int, clock: float | None = None
) -> list[tuple[str, int]]:
    """Delete the oldest complete files of a folder that is larger than it may be.

    Returns the name of each and how many lines were lost with it.
    """
    size = sum(size for _, size in _sizes(folder))
    gone = []
    for path in complete_files(folder, limit=FILES_MAX, clock=clock):
        if size <= bytes_max:
            break
        size -= path.stat().st_size
        gone.append((path.stem, _lines(path)))
        path.unlink(missing_ok=True)
    return gone


def _sizes(folder: Path) -> list[tuple[Path, int]]:
    """The spool's files and their octets; one that goes meanwhile has none."""
    found = []
    if folder.is_dir():
        for path in folder.iterdir():
            try:
                found.append((path, path.stat().st_size))
            except OSError:
                continue
    return found


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(
            block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")
        )


def complete_files(
    folder: Path, *, limit: int, clock: float | None = None
) -> list[Path]:
    """Spool files that nobody writes to any more, the oldest first."""
    over = int((clock or time.time()) - SETTLED_S) // MINUTE_S
    if not folder.is_dir():
        return []
    files = [
        path
        for path in folder.iterdir()
        if path.suffix == _SUFFIX and path.stem.isdecimal() and int(path.stem) < over
    ]
    return sorted(files, key=lambda path: int(path.stem))[:limit]


def read_lines(path: Path, *, limit: int) -> tuple[list[Decision], int]:
    """At most `limit` decisions evenly taken from the file, and one of how many.

    Malformed lines (a disk that was full) are left out.
    """
    with path.open("rb") as file:
        count = sum(1 for _ in _bounded(file))
    step = max(1, -(-count // limit))
    found = []
    with path.open("rb") as file:
        for number, line in enumerate(_bounded(file)):
            if number % step == 0 and (decision := _parsed(line)):
                found.append(decision)
    return found, step


def _bounded(file: object) -> Iterator[bytes]:
    """Lines of the first part of a file that may have grown beyond reason."""
    size = 0
    for line in file:  # type: ignore[attr-defined]
        size += len(line)
        if size > FILE_BYTES_MAX:
            return
        yield line


def _parsed(line: bytes) -> Decision | None:
    fields = line.decode("ascii", "replace").rstrip("\n").split(" ")
    if len(fields) not in _FIELDS or not fields[0].isdecimal():
        return None
    at, verdict, reason, nas, login, mac, *numbers = fields
    word, _, hold = reason.partition(":")
    try:
        ipaddress.ip_address(nas)
        sample_of, account = map(int, numbers[:2] or ("1", "0"))
        took_us = _took(numbers[2], since=int(at)) if numbers[2:] else None
        if not (
            int(at) <= AT_MAX
            and 1 <= sample_of <= SAMPLE_OF_MAX
            and 0 <= account <= ACCOUNT_MAX
        ):
            return None
        return Decision(
            int(at), verdict == "accept", word, nas, _decode(login), _decode(mac),
            hold, sample_of, account, took_us,
        )  # fmt: skip
    except (binascii.Error, ValueError):
        return None


def _took(text: str, *, since: int) -> int:
    """Microseconds. Raises ValueError."""
    took, *clocks = map(int, text.split(":"))
    if clocks:
        ended_us, began_us = clocks
        took = (took - since) * 1_000_000 + ended_us - began_us
    return min(max(took, 0), TOOK_US_MAX)


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    """As radius_text() does; a column takes no zero byte."""
    return text_of_octets(base64.b64decode(text, validate=True))
