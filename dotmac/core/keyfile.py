"""Changing the key file: add a key, make it the current one, retire the old one.

Every step replaces the whole file at once (mode 0600), and two steps never run
at the same time. The order in which they are safe is in docs/security.md:
everybody must know a key before anybody seals with it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotmac.core.crypto import KeyFileRefused, read_keyring

_LAST_ID = 255


class KeyStepRefused(Exception):
    """The file is not in the state in which this step makes sense."""


def write_private(path: Path, text: str) -> None:
    """A file that only its owner reads, complete or not there at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def add_key(path: Path) -> int:
    """Put a new key behind the others: it opens, nobody seals with it yet.

    Returns its id. Refused while the file holds two keys already.
    """
    with _alone(path):
        lines = _lines(path)
        if len(lines) > 1:
            raise KeyStepRefused(
                f"{path} holds keys {_ids(lines)} already: finish that rotation first."
            )
        new_id = _id(lines[0]) % _LAST_ID + 1
        write_private(path, "\n".join([*lines, _new_line(new_id)]) + "\n")
    return new_id


def promote_key(path: Path, key_id: int) -> bool:
    """Make the key the current one. False when it was already."""
    with _alone(path):
        lines = _lines(path)
        chosen = _line(path, lines, key_id)
        if lines[0] == chosen:
            return False
        others = [line for line in lines if line != chosen]
        write_private(path, "\n".join([chosen, *others]) + "\n")
    return True


def retire_key(path: Path, key_id: int) -> bool:
    """Move a key that nothing needs any more into `<file>.retired`.

    Dumps that were made while it was in use can be opened only with it. False
    when the file does not hold it (any more). The current key is refused.
    """
    with _alone(path):
        lines = _lines(path)
        found = [line for line in lines if _id(line) == key_id]
        if not found:
            return False
        if found[0] == lines[0]:
            raise KeyStepRefused(f"Key {key_id} is the current one.")
        retired = path.with_name(path.name + ".retired")
        before = retired.read_text() if retired.exists() else ""
        write_private(retired, f"{before}{found[0]}\n")
        kept = [line for line in lines if line != found[0]]
        write_private(path, "\n".join(kept) + "\n")
    return True


def _lines(path: Path) -> list[str]:
    read_keyring(path)  # refuses what is no key file
    return path.read_text().split()


def _line(path: Path, lines: list[str], key_id: int) -> str:
    for line in lines:
        if _id(line) == key_id:
            return line
    raise KeyStepRefused(f"{path} holds keys {_ids(lines)}, not {key_id}.")


def _id(line: str) -> int:
    return int(line.split(":", 1)[0])


def _ids(lines: list[str]) -> str:
    return " and ".join(str(_id(line)) for line in lines)


def _new_line(key_id: int) -> str:
    return f"{key_id}:{secrets.token_hex(32)}"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile; the kernel frees it however we end."""
    if not path.exists():
        raise KeyFileRefused(f"Cannot read the key file {path}.")
    lock = path.with_name(path.name + ".lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
