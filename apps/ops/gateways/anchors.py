"""Anchors as files, and the key that signs them."""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from apps.ops.rules.anchors import (
    Anchor,
    AnchorRefused,
    key_id,
    read_anchor,
    sealed_anchor,
)
from dotmac.core.crypto import KeyFileRefused

ANCHORS_MAX = 20_000
_PEM = re.compile(
    rb"-----BEGIN (PRIVATE|PUBLIC) KEY-----.+?-----END \1 KEY-----", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class AnchorKeys:
    """The first private key signs; all keys in the file verify."""

    signing: Ed25519PrivateKey
    known: dict[str, Ed25519PublicKey]


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """One file: the anchor, or why it is none."""

    path: Path
    anchor: Anchor | None
    refusal: str = ""


@lru_cache(maxsize=4)
def read_keys(path: Path) -> AnchorKeys:
    """Ed25519 keys in PEM; public ones of former private keys may follow.

    Raises KeyFileRefused when the file is missing, open to others or malformed.
    """
    try:
        mode, raw = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise KeyFileRefused(f"Cannot read the key file {path}: {error}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileRefused(f"{path} is open to others: run chmod 600 {path}.")
    private, public = [], []
    try:
        for found in _PEM.finditer(raw):
            if found[1] == b"PRIVATE":
                private.append(load_pem_private_key(found[0], None))
            else:
                public.append(load_pem_public_key(found[0]))
    except ValueError as error:
        raise KeyFileRefused(f"{path} holds a broken key.") from error
    own = [key for key in private if isinstance(key, Ed25519PrivateKey)]
    known = [key for key in public if isinstance(key, Ed25519PublicKey)]
    if not own or len(own) + len(known) != len(private) + len(public):
        raise KeyFileRefused(f"{path} must hold Ed25519 keys in PEM.")
    known += [key.public_key() for key in own]
    return AnchorKeys(own[0], {key_id(key): key for key in known})


def read_anchors(folder: Path, keys: AnchorKeys) -> list[AnchorFile]:
    """All anchors by number; a file that is none says why."""
    paths = sorted(folder.glob("*.json"))[:ANCHORS_MAX] if folder.is_dir() else []
    return [_read(path, keys) for path in paths]


def _read(path: Path, keys: AnchorKeys) -> AnchorFile:
    try:
        return AnchorFile(path, read_anchor(json.loads(path.read_text()), keys.known))
    except (OSError, ValueError, AnchorRefused) as error:
        reason = str(error) if isinstance(error, AnchorRefused) else "It is no anchor."
        return AnchorFile(path, None, reason)


def write_anchor(folder: Path, anchor: Anchor, keys: AnchorKeys) -> Path:
    """Keep the anchor under its number; raises FileExistsError if that is taken."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{anchor.number:08d}.json"
    part = folder / f".{anchor.number:08d}.{os.getpid()}"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(sealed_anchor(anchor, keys.signing), file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    finally:
        part.unlink()
    return path
