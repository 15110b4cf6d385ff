"""Decisions on their way into the database: one line each, a file a minute.

Both servers write the same lines (FreeRADIUS by linelog): instant, verdict, reason,
NAS, login and MAC address, the last two in base64. A job reads files that are
complete, so that no login waits for an insert.
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

from apps.network.rules.credentials import text_of_octets

# Files whose minute is over this long are complete.
SETTLED_S = 15
MINUTE_S = 60
FILE_BYTES_MAX = 64_000_000
_FIELDS = 6
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

    def line(self) -> str:
        verdict = "accept" if self.accepted else "reject"
        names = (_encode(self.login), _encode(self.mac))
        return " ".join((str(self.at), verdict, self.reason, self.nas, *names)) + "\n"


class Spool:
    """Appends lines. A full disk costs lines, never an answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, decision: Decision) -> None:
        path = self._folder / f"{decision.at // MINUTE_S}{_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with self._lock:
            try:
                handle = os.open(path, flags, 0o600)
                try:
                    os.write(handle, decision.line().encode())
                finally:
                    os.close(handle)
            except OSError:
                return


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
    if len(fields) != _FIELDS or not fields[0].isdecimal():
        return None
    at, verdict, reason, nas, login, mac = fields
    try:
        ipaddress.ip_address(nas)
        return Decision(
            int(at), verdict == "accept", reason, nas, _decode(login), _decode(mac)
        )
    except (binascii.Error, ValueError):
        return None


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    """As radius_text() does; a column takes no zero byte."""
    return text_of_octets(base64.b64decode(text, validate=True))
