"""ID tokens of identity providers: believed only when everything fits (Core 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from apps.federation.rules.flows import same
from apps.federation.rules.proofs import Distrusted

TOKEN_CHARACTERS_MAX = 32_768
KEYS_MAX = 50
SKEW = timedelta(minutes=2)
# Asymmetric only: "none", and a MAC with the public key, are not among them.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA",
)  # fmt: skip
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]


class KeyUnknown(Distrusted):
    """Signed by a key that we have not seen: the provider may have renewed its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token has to say: whose it is, for whom, and for which sign-in."""

    issuer: str
    client_id: str
    nonce: str


def read_id_token(
    token: str,
    keys: Sequence[Mapping[str, Any]],
    expected: Expected,
    *,
    now: datetime,
    access_token: str = "",
) -> dict[str, Any]:
    """The claims of a token whose signature, issuer, audience, time and nonce fit.

    `keys` are those of the provider's JWKS. Raises Distrusted, and KeyUnknown where
    other keys might help.
    """
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise Distrusted("id token: too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise Distrusted(f"id token: algorithm {algorithm!r}")
        claims = jwt.decode(
            token,
            _key(header, algorithm, keys),
            algorithms=[algorithm],
            audience=expected.client_id,
            issuer=expected.issuer,
            # The caller's clock decides, below.
            options={
                "require": _REQUIRED,
                "enforce_minimum_key_length": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise Distrusted(f"id token: {type(error).__name__}") from error
    _check_time(claims, now)
    _check_party(claims, expected)
    _check_access_token(claims, algorithm, access_token)
    return claims


def _key(
    header: Mapping[str, Any], algorithm: str, keys: Sequence[Mapping[str, Any]]
) -> Any:
    """The key that the header names, of the algorithm's type and for signatures."""
    wanted = _KEY_TYPES[algorithm[:2]]
    fitting = [
        key
        for key in keys
        if key.get("kty") == wanted
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    ]
    kid = header.get("kid")
    if kid is not None:
        fitting = [key for key in fitting if key.get("kid") == kid]
    if len(fitting) != 1:
        raise KeyUnknown("id token: no one key fits")
    return jwt.PyJWK(dict(fitting[0]), algorithm=algorithm).key


def _check_time(claims: Mapping[str, Any], now: datetime) -> None:
    at, skew = now.timestamp(), SKEW.total_seconds()
    numbers = [claims["exp"], claims["iat"], claims.get("nbf", claims["iat"])]
    if not all(type(number) is int for number in numbers):
        raise Distrusted("id token: malformed times")
    expires, issued, begins = numbers
    if not (max(issued, begins) - skew <= at < expires + skew):
        raise Distrusted("id token: not now")


def _check_party(claims: Mapping[str, Any], expected: Expected) -> None:
    """Made for us alone, and for this sign-in."""
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if several and claims.get("azp") != expected.client_id:
        raise Distrusted("id token: several audiences")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise Distrusted("id token: another authorised party")
    nonce = claims["nonce"]
    if not isinstance(nonce, str) or not same(nonce, expected.nonce):
        raise Distrusted("id token: another nonce")


def _check_access_token(
    claims: Mapping[str, Any], algorithm: str, access_token: str
) -> None:
    """`at_hash`, where the token has one (Core 3.1.3.8); EdDSA says no hash."""
    said = claims.get("at_hash")
    make = _HASHES.get(algorithm[2:])
    if said is None or make is None or not access_token:
        return
    if said != half_hash(access_token, make):
        raise Distrusted("id token: another access token")


def half_hash(text: str, make: Any = hashlib.sha256) -> str:
    """The left half of a hash in base64url (OIDC Core 3.1.3.6)."""
    raw = make(text.encode()).digest()
    return base64.urlsafe_b64encode(raw[: len(raw) // 2]).decode().rstrip("=")
