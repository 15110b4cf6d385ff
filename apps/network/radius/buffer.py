"""Accounting on its way into PostgreSQL: a line for each packet, a file every ten seconds.

Both servers write the same lines (FreeRADIUS by linelog) and answer the NAS once a line
is written; `run_accounting_replay` brings them into PostgreSQL in the order of receipt.
A line is one write. One that was cut short (a full disk, a crash of the machine) was
not answered, and costs no other.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from apps.network.radius.database import AccountingFacts

SLICE_S = 10
# A packet may wait so long in the server before its line is written.
SETTLED_S = 20
SUFFIX = ".acct"
REFUSED, PROGRESS = "refused", "progress"
# In the order of the line; what stands in base64 comes last.
_FIELDS = (
    "received",
    "status",
    "nas",
    "address",
    "port",
    "event",
    "delay",
    "seconds",
    "octets_in",
    "giga_in",
    "octets_out",
    "giga_out",
    "cause",
    "ipv6",
    "prefix",
    "delegated",
    "client",
    "login",
    "session",
    "mac",
    "port_id",
    "klass",
    "circuit",
    "called",
)
_BEGIN, _END = "!", "end"


class NotWritten(OSError):
    """The record is not on the disk as a whole: the packet stays unanswered."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits: bytes, and since when the oldest does (seconds since 1970)."""

    octets: int
    oldest_at: int | None


def make_folder(folder: Path) -> None:
    """For its owner alone. Repeating it changes nothing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def line(facts: AccountingFacts) -> str:
    """A record as FreeRADIUS's linelog writes it, with its line feed."""
    values = (str(getattr(facts, name)) for name in _FIELDS)
    return "|".join((_BEGIN, *values, _END)) + "\n"


def parsed(text: str) -> AccountingFacts | None:
    """The record of a line, or None for one that was cut short.

    Where the record before it was cut short, that one's rest is left out. A delay that
    the NAS told is taken off the time of receipt here, where the NAS has no clock:
    radius_accounting() does so with fresh packets only.
    """
    values = text.rstrip("\n").rpartition(_BEGIN)[2].split("|")
    if len(values) != len(_FIELDS) + 2 or values[0] or values[-1] != _END:
        return None
    facts = AccountingFacts(**dict(zip(_FIELDS, values[1:-1], strict=True)))
    if not facts.received.isdecimal():
        return None
    if not facts.event and facts.delay.isdecimal() and len(facts.delay) <= 6:
        delay = int(facts.delay)
        if delay:
            return replace(facts, event=str(max(0, int(facts.received) - delay)))
    return facts


class Buffer:
    """Appends records, each safely on the disk before it returns."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder = folder
        self._lock = threading.Lock()

    def write(self, facts: AccountingFacts) -> None:
        """Raises NotWritten when the disk is full or broken."""
        record = line(facts).encode()
        path = self._folder / f"{int(facts.received) // SLICE_S}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            handle = os.open(path, flags, 0o600)
            try:
                with self._lock:
                    written = os.write(handle, record)
                os.fdatasync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise NotWritten(*error.args) from error
        if written != len(record):
            raise NotWritten("The disk is full.")


def files(folder: Path) -> list[Path]:
    """All there are, the oldest first."""
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if p.suffix == SUFFIX and p.stem.isdecimal()]
    return sorted(found, key=lambda path: int(path.stem))


def is_settled(path: Path, *, clock: float | None = None) -> bool:
    """Nobody writes to it any more."""
    over = (int(path.stem) + 1) * SLICE_S + SETTLED_S
    return (time.time() if clock is None else clock) > over


def read(path: Path, offset: int, limit: int) -> tuple[list[str], int]:
    """Whole lines from there on, at most `limit`, and where the next one begins."""
    lines = []
    with path.open("rb") as file:
        file.seek(offset)
        for raw in _whole(file):
            lines.append(raw.decode("ascii", "replace"))
            offset += len(raw)
            if len(lines) >= limit:
                break
    return lines, offset


def _whole(file: Iterable[bytes]) -> Iterator[bytes]:
    for raw in file:
        if not raw.endswith(b"\n"):
            return
        yield raw


def refuse(folder: Path, text: str) -> None:
    """Keep a record that PostgreSQL takes in no case, for a person to look at."""
    handle = os.open(folder / REFUSED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a") as file:
        file.write(text)


def note_progress(folder: Path, offsets: Mapping[Path, int]) -> None:
    """Leave word of how far the replay is, for `queue`; nothing else relies on it."""
    draft = folder / f"{PROGRESS}.new"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{path.stem} {offset}\n" for path, offset in offsets.items())
    draft.replace(folder / PROGRESS)


def _progress(folder: Path) -> dict[str, int]:
    try:
        text = (folder / PROGRESS).read_text()
    except FileNotFoundError:
        return {}
    pairs = (entry.split(" ") for entry in text.splitlines())
    return {stem: int(offset) for stem, offset in pairs}


def queue(folder: Path) -> Queue:
    """How much waits to be replayed, and since when."""
    done, octets, oldest = _progress(folder), 0, None
    for path in files(folder):
        try:
            waiting = path.stat().st_size - done.get(path.stem, 0)
        except FileNotFoundError:
            continue
        if waiting > 0:
            octets += waiting
            oldest = int(path.stem) * SLICE_S if oldest is None else oldest
    return Queue(octets, oldest)
