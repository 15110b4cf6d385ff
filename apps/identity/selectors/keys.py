"""The keys that sign access tokens, from the file at JWT_KEY_PATH."""

from __future__ import annotations

import re
import stat
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from apps.identity.rules.tokens import SigningKeys, key_set, signing_keys
from dotmac.core.crypto import KeyFileRefused

_PEM = re.compile(
    rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL
)


def jwt_keys() -> SigningKeys:
    """The installation's keys; the first one in the file signs."""
    return read_signing_keys(Path(settings.JWT_KEY_PATH))


def jwt_key_set() -> dict[str, Any]:
    """The public halves, as programs fetch them (JWKS)."""
    return key_set(jwt_keys())


@lru_cache(maxsize=4)
def read_signing_keys(path: Path) -> SigningKeys:
    """Ed25519 keys in PEM (PKCS#8), one after another.

    Raises KeyFileRefused when the file is missing, open to others or malformed.
    """
    try:
        mode, raw = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise KeyFileRefused(f"Cannot read the key file {path}: {error}.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileRefused(f"{path} is open to others: run chmod 600 {path}.")
    try:
        found = [load_pem_private_key(pem, None) for pem in _PEM.findall(raw)]
    except ValueError as error:
        raise KeyFileRefused(f"{path} holds a broken key.") from error
    keys = [key for key in found if isinstance(key, Ed25519PrivateKey)]
    if not keys or len(keys) != len(found):
        raise KeyFileRefused(f"{path} must hold Ed25519 keys in PEM.")
    return signing_keys(keys)
