"""What a site that is cut off from PostgreSQL may go on to answer with.

A snapshot has the NASes of the site and the subscribers known there with the answer
that radius_authorize() gave when it was made: password, attributes, or the refusal.
Ed25519 signs the whole file (the centre's key), AES-GCM hides the contents (the site's
key); it ends at an hour, and a site takes none with a lower sequence than it has had.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.network.radius.database import Row

_MAGIC = b"DOTMAC-SNAPSHOT-1\n"
_SIGNATURE_BYTES, _NONCE_BYTES, _KEY_BYTES = 64, 12, 32
_OTHERS = 0o077
SNAPSHOT, SITE_KEY, PUBLIC_KEY, SEEN = "snapshot", "site.key", "signing.pub", "seen"
PRIVATE_KEY, SEQUENCE = "signing.key", "sequence"
SECONDS_MAX = 7 * 24 * 3600


class SnapshotRefused(Exception):
    """The file is not one to answer with; the text says why."""


@dataclass(frozen=True, slots=True)
class KnownNas:
    """A NAS of the site: its name at the server, its secret."""

    name: str
    secret: str
    require_message_authenticator: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A subscriber: the rows of radius_authorize() by the address of the NAS."""

    mac_lock: str
    expires_at: int | None
    rows: dict[str, list[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Times in seconds since 1970; logins as they stand in the accounts."""

    sequence: int
    made_at: int
    valid_until: int
    nases: dict[str, KnownNas] = field(default_factory=dict)
    subscribers: dict[str, Known] = field(default_factory=dict)


def sealed(snapshot: Snapshot, *, signing: Ed25519PrivateKey, key: bytes) -> bytes:
    """The file: what it is, the signature, and what only the site reads."""
    head = json.dumps(
        {
            "sequence": snapshot.sequence,
            "made_at": snapshot.made_at,
            "valid_until": snapshot.valid_until,
        }
    ).encode()
    inside = zlib.compress(
        json.dumps(
            {
                "nases": {k: asdict(v) for k, v in snapshot.nases.items()},
                "subscribers": {k: asdict(v) for k, v in snapshot.subscribers.items()},
            }
        ).encode()
    )
    nonce = os.urandom(_NONCE_BYTES)
    body = struct.pack("!I", len(head)) + head + nonce
    body += AESGCM(key).encrypt(nonce, inside, head)
    return _MAGIC + signing.sign(_MAGIC + body) + body


def opened(
    data: bytes, *, public: Ed25519PublicKey, key: bytes, now: int, least: int = 0
) -> Snapshot:
    """The snapshot in a file; raises SnapshotRefused for one that was changed, is of
    another centre or site, has ended, or is older than the sequence `least`."""
    start = len(_MAGIC) + _SIGNATURE_BYTES
    body = data[start:]
    try:
        public.verify(data[len(_MAGIC) : start], _MAGIC + body)
    except InvalidSignature:
        raise SnapshotRefused("Its signature is not the centre's.") from None
    if not data.startswith(_MAGIC):
        raise SnapshotRefused("Its signature is of another kind.")
    (length,) = struct.unpack("!I", body[:4])
    head, rest = body[4 : 4 + length], body[4 + length :]
    facts = json.loads(head)
    if facts["valid_until"] <= now:
        raise SnapshotRefused("Its time is over.")
    if facts["sequence"] < least:
        raise SnapshotRefused("A newer one was here before.")
    try:
        inside = AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head)
    except InvalidTag:
        raise SnapshotRefused("It was made for another site.") from None
    return _parsed(facts, json.loads(zlib.decompress(inside)))


def _parsed(facts: dict[str, int], inside: dict[str, Any]) -> Snapshot:
    return Snapshot(
        **facts,
        nases={k: KnownNas(**v) for k, v in inside["nases"].items()},
        subscribers={
            login: Known(
                mac_lock=known["mac_lock"],
                expires_at=known["expires_at"],
                rows={
                    nas: [(name, value, op) for name, value, op in rows]
                    for nas, rows in known["rows"].items()
                },
            )
            for login, known in inside["subscribers"].items()
        },
    )


def answer(
    snapshot: Snapshot, *, login: str, nas: str, mac: str, now: int
) -> list[Row] | None:
    """The rows for a login, or None where the snapshot cannot know: silence.

    That is an unknown login (it may be new), a line that has expired since, and a
    snapshot whose time is over. What was refused when it was made stays refused.
    """
    known = snapshot.subscribers.get(login)
    rows = known.rows.get(nas) if known else None
    if known is None or rows is None or snapshot.valid_until <= now:
        return None
    if any(name == "Auth-Type" for name, _, _ in rows):
        return rows
    # Expired before: the answer is that of an expired line already.
    ends = known.expires_at if (known.expires_at or 0) > snapshot.made_at else None
    if ends is not None and ends <= now:
        return None
    if known.mac_lock and _hex(known.mac_lock) != _hex(mac):
        return [("Auth-Type", "Reject", ":="), ("Tmp-String-1", "mac", ":=")]
    left = None if ends is None else ends - now
    return [_of_now(row, left) for row in rows]


def _of_now(row: Row, left: int | None) -> Row:
    """The reason says where the answer is from; the session ends with the line."""
    name, value, op = row
    if name == "Tmp-String-1":
        return name, "cached", op
    if name == "Session-Timeout" and left is not None:
        return name, str(min(int(value), left)), op
    return row


def _hex(mac: str) -> str:
    return "".join(sign for sign in mac.lower() if sign in "0123456789abcdef")


def read_key(path: Path) -> bytes:
    """The site's key; raises SnapshotRefused when it is none or others may read it."""
    try:
        if path.stat().st_mode & _OTHERS:
            raise SnapshotRefused(f"{path} is open to other users: run chmod 600.")
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        raise SnapshotRefused(f"{path} holds no key.") from None
    if len(key) != _KEY_BYTES:
        raise SnapshotRefused(f"{path} holds no key.")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """The centre's key; raises SnapshotRefused when it is none."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise SnapshotRefused(f"{path} holds no key.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SnapshotRefused(f"{path} holds no key.")
    return key


class Shelf:
    """The snapshot of a site, read again when another file lies there.

    Beside it lie the site's key and the centre's public one, and `seen`, the highest
    sequence that was taken.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._snapshot: Snapshot | None = None

    def read(self, now: int) -> Snapshot:
        """Raises SnapshotRefused; the one before does not stay in use then."""
        try:
            found = self._path.stat()
        except OSError:
            raise SnapshotRefused(f"There is no file {self._path}.") from None
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp or self._snapshot is None:
            self._snapshot = None
            self._snapshot = self._opened(now)
            self._stamp = stamp
        if self._snapshot.valid_until <= now:
            raise SnapshotRefused("Its time is over.")
        return self._snapshot

    def _opened(self, now: int) -> Snapshot:
        folder = self._path.parent
        seen = folder / SEEN
        least = int(seen.read_text()) if seen.exists() else 0
        found = opened(
            self._path.read_bytes(),
            public=read_public(folder / PUBLIC_KEY),
            key=read_key(folder / SITE_KEY),
            now=now,
            least=least,
        )
        if found.sequence > least:
            write_private(seen, str(found.sequence).encode())
        return found


class Centre:
    """The folder in which the keys and each site's latest snapshot are kept."""

    def __init__(self, folder: Path, site: str) -> None:
        self._folder, self.site = folder, folder / site
        for path in (folder, self.site):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)

    def signing(self) -> Ed25519PrivateKey:
        """The key of this installation, made when there is none."""
        path = self._folder / PRIVATE_KEY
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            write_private(path, pem)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise SnapshotRefused(f"{path} holds no Ed25519 key.")
        return key

    def key(self) -> bytes:
        """The site's key, made when there is none."""
        path = self.site / SITE_KEY
        if not path.exists():
            write_private(path, os.urandom(_KEY_BYTES).hex().encode())
        return read_key(path)

    def next_sequence(self) -> int:
        path = self.site / SEQUENCE
        return (int(path.read_text()) if path.exists() else 0) + 1

    def keep(self, snapshot: Snapshot) -> Path:
        """Seal it and replace the site's latest one; its sequence is used up first."""
        signing, key = self.signing(), self.key()
        write_private(self.site / SEQUENCE, str(snapshot.sequence).encode())
        public = signing.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        write_private(self.site / PUBLIC_KEY, public)
        path = self.site / SNAPSHOT
        write_private(path, sealed(snapshot, signing=signing, key=key))
        return path


def write_private(path: Path, data: bytes) -> None:
    """Replace a file as a whole; it is never open to others."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
