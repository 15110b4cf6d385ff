"""Secrets at rest: encrypt-then-HMAC, bound to table, column and row.

Format of a sealed value (bytes): 0x01, key id (one byte, 1 to 255), IV (16),
AES-256-CBC ciphertext with PKCS#7 padding, HMAC-SHA-256 (32) over
sha256("table.column:row") followed by all that stands before the tag. Two
sealed values swapped between rows, columns or tables therefore do not open.

PostgreSQL opens the same format (`dotmac_unseal`, pgcrypto); both sides share
the vectors in tests/core/crypto_vectors.json. Key material never reaches the
database's tables: it travels as session settings `dotmac.key_<id>`.

A look-up value (`Keyring.index`) finds equal secrets without opening any: key
id (one byte), HMAC-SHA-256 over sha256("table.column") followed by the text,
with a third key that is derived apart from the same master.

The key file may change under a running process: `keyring_at` notices. How keys
are changed is in dotmac.core.keyfile.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_VERSION = 1
_TAG = 32
_IV = 16
_HEAD = 2
COMPLAINT_EVERY_S = 60.0

log = structlog.get_logger(__name__)


class SealBroken(Exception):
    """The value is not what was sealed here: wrong key, place or bytes."""


class KeyFileRefused(Exception):
    """The key file is missing, readable by others, or malformed."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key with its id; encryption and HMAC keys are derived apart."""

    id: int
    encrypt: bytes
    authenticate: bytes
    look_up: bytes = b""

    def __repr__(self) -> str:
        return f"Key({self.id})"

    @classmethod
    def derive(cls, key_id: int, master: bytes) -> Key:
        if not 1 <= key_id <= 255 or len(master) != 32:
            raise KeyFileRefused("A key has an id from 1 to 255 and 32 bytes.")
        return cls(
            key_id,
            hmac.digest(master, b"dotmac encrypt v1", "sha256"),
            hmac.digest(master, b"dotmac authenticate v1", "sha256"),
            hmac.digest(master, b"dotmac look-up v1", "sha256"),
        )

    @property
    def session_value(self) -> str:
        """What the database session is given: both derived keys in hex."""
        return (self.encrypt + self.authenticate).hex()


class Keyring:
    """The keys in use; the first one seals, all of them open.

    `since` is when their file was changed, in nanoseconds; 0 without a file.
    """

    def __init__(self, keys: list[Key], since: int = 0) -> None:
        if not keys:
            raise KeyFileRefused("There is no encryption key.")
        self.since = since
        self.keys = {key.id: key for key in keys}
        self.current = keys[0]

    def seal(self, clear: str, *, table: str, column: str, row_id: int) -> bytes:
        """Encrypt for exactly this place. Each call gives other bytes."""
        return self._seal(clear, table, column, row_id, os.urandom(_IV))

    def _seal(
        self, clear: str, table: str, column: str, row_id: int, iv: bytes
    ) -> bytes:
        padder = padding.PKCS7(128).padder()
        padded = padder.update(clear.encode()) + padder.finalize()
        cipher = Cipher(algorithms.AES(self.current.encrypt), modes.CBC(iv))
        encryptor = cipher.encryptor()
        body = encryptor.update(padded) + encryptor.finalize()
        head = bytes([_VERSION, self.current.id])
        sealed = head + iv + body
        return sealed + _tag(self.current, sealed, table, column, row_id)

    def unseal(self, sealed: bytes, *, table: str, column: str, row_id: int) -> str:
        """The clear text; raises SealBroken unless it was sealed for here."""
        value = bytes(sealed)
        if len(value) < _HEAD + _IV + 16 + _TAG or value[0] != _VERSION:
            raise SealBroken("Not a sealed value.")
        key = self.keys.get(value[1])
        if key is None:
            raise SealBroken(f"Key {value[1]} is not in the key ring.")
        body, tag = value[:-_TAG], value[-_TAG:]
        if not hmac.compare_digest(tag, _tag(key, body, table, column, row_id)):
            raise SealBroken("The seal does not fit this place.")
        iv, ciphertext = body[_HEAD : _HEAD + _IV], body[_HEAD + _IV :]
        decryptor = Cipher(algorithms.AES(key.encrypt), modes.CBC(iv)).decryptor()
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()

    def index(self, clear: str, *, table: str, column: str) -> bytes:
        """What is stored beside a sealed value to find its equals."""
        return _index(self.current, clear, table, column)

    def indexes(self, clear: str, *, table: str, column: str) -> list[bytes]:
        """What equal values may be stored as: one for each key in use."""
        return [_index(key, clear, table, column) for key in self.keys.values()]


def _index(key: Key, clear: str, table: str, column: str) -> bytes:
    place = hashlib.sha256(f"{table}.{column}".encode()).digest()
    tag = hmac.digest(key.look_up, place + clear.encode(), "sha256")
    return bytes([key.id]) + tag


def _tag(key: Key, body: bytes, table: str, column: str, row_id: int) -> bytes:
    place = hashlib.sha256(f"{table}.{column}:{row_id}".encode()).digest()
    return hmac.digest(key.authenticate, place + body, "sha256")


def read_keyring(path: Path) -> Keyring:
    """Read `id:hex` lines, the current key first; no id twice.

    Raises KeyFileRefused when the file is missing, open to group or others, or
    not made of 64 hex digits a key.
    """
    try:
        facts = path.stat()
        mode = facts.st_mode
        lines = path.read_text().split()
    except OSError as error:
        raise KeyFileRefused(f"Cannot read the key file {path}: {error}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileRefused(f"{path} is open to others: run chmod 600 {path}.")
    try:
        pairs = [line.split(":", 1) for line in lines]
        keys = [Key.derive(int(number), bytes.fromhex(h)) for number, h in pairs]
    except ValueError as error:
        raise KeyFileRefused(f"{path} must hold lines of id:64 hex digits.") from error
    if len({key.id for key in keys}) != len(keys):
        raise KeyFileRefused(f"{path} names an id twice.")
    return Keyring(keys, facts.st_mtime_ns)


_Signature = tuple[int, int, int]
_read: dict[Path, tuple[_Signature, Keyring]] = {}
_complained: dict[Path, float] = {}


def keyring_at(path: Path) -> Keyring:
    """The keys in the file as it is now; read again only when it has changed.

    A file that has become unreadable or malformed is reported, and the keys
    that were read before stay in use: a slip of the hand must not stop
    everybody's sign-in.
    """
    known = _read.get(path)
    try:
        facts = path.stat()
        signature = (facts.st_mtime_ns, facts.st_ino, facts.st_size)
        if known is not None and known[0] == signature:
            return known[1]
        ring = read_keyring(path)
    except (OSError, KeyFileRefused) as error:
        if known is None:
            raise
        _complain(path, error)
        return known[1]
    _read[path] = (signature, ring)
    return ring


def _complain(path: Path, error: Exception) -> None:
    """Now and then: the file is looked at whenever a secret is opened."""
    now = time.monotonic()
    if now - _complained.get(path, -COMPLAINT_EVERY_S) >= COMPLAINT_EVERY_S:
        _complained[path] = now
        log.critical("key_file_refused", path=str(path), why=type(error).__name__)


def session_options(keyring: Keyring) -> str:
    """libpq options that hand the keys to a database session (PGOPTIONS).

    They differ when the file's time does: a session is judged by its beginning, so
    one that began while a step was under way has to begin anew.
    """
    keys = [f"-cdotmac.key_{k.id}={k.session_value}" for k in keyring.keys.values()]
    return " ".join([*keys, f"-cdotmac.keys_since={keyring.since}"])
