"""The keys that sign tokens and statements, from the file at JWT_KEY_PATH."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from apps.identity.rules.tokens import (
    SigningKeys,
    TokenInvalid,
    key_set,
    read_statement,
    signing_keys,
    statement_algorithm,
    write_statement,
)
from dotmac.core.crypto import KeyFileRefused

RSA_BITS_MIN = 2048
log = structlog.get_logger(__name__)
_PEM = re.compile(
    rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL
)


def jwt_keys() -> SigningKeys:
    """The installation's keys; the first one in the file signs.

    The file is looked at each time and read when it changed, so that keys rotate
    while requests run. A file that is half written, or spoiled, leaves the keys
    that were read before.
    """
    path = Path(settings.JWT_KEY_PATH)
    try:
        found = path.stat()
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        known = _READ.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        keys = read_signing_keys(path)
    except (OSError, KeyFileRefused) as error:
        if path in _READ:
            log.warning("jwt_keys_not_reloaded", error=str(error))
            return _READ[path][1]
        raise KeyFileRefused(str(error)) from error
    _READ[path] = (stamp, keys)
    return keys


# What was read, by path, with the file's stamp at that time.
_READ: dict[Path, tuple[tuple[int, int, int], SigningKeys]] = {}


def jwt_key_set() -> dict[str, Any]:
    """The public halves, as programs fetch them (JWKS)."""
    return key_set(jwt_keys())


def signed_statement(body: dict[str, Any]) -> str:
    """Claims for other programs, signed by the installation's key of the moment."""
    return write_statement(jwt_keys(), body)


def statement_of(token: str) -> dict[str, Any] | None:
    """The claims of a statement that we signed, however old; None for all others."""
    try:
        return read_statement(jwt_keys(), token)
    except TokenInvalid:
        return None


def signing_algorithm() -> str:
    """How statements are signed now."""
    return statement_algorithm(jwt_keys())


def read_signing_keys(path: Path) -> SigningKeys:
    """Ed25519 keys in PEM (PKCS#8), one after another; RSA keys may stand among them.

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
    rsa = [key for key in found if isinstance(key, RSAPrivateKey)]
    if not keys or len(keys) + len(rsa) != len(found):
        raise KeyFileRefused(f"{path} must hold Ed25519 keys in PEM, and RSA keys.")
    if any(key.key_size < RSA_BITS_MIN for key in rsa):
        raise KeyFileRefused(
            f"{path} holds an RSA key of less than {RSA_BITS_MIN} bits."
        )
    return signing_keys(keys, rsa)
