"""Access tokens (JWT, EdDSA) and the random texts behind links and refreshes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.identity.rules.lifetimes import ACCESS_LIFETIME

ALGORITHM = "EdDSA"
# What every OpenID relying party has to understand (OIDC Core 15.1).
RSA_ALGORITHM = "RS256"
AUDIENCE = "dotmac-api"
HEADER_TYPE = "at+jwt"
TOKEN_TYPE = "access"  # noqa: S105  # nosec B105
TOKEN_CHARACTERS_MAX = 2048
_REQUIRED = ["iss", "aud", "sub", "sid", "typ", "jti", "iat", "exp"]


class TokenInvalid(Exception):
    """Not a token that we made, or not one for this use or time."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The private key that signs now and the public keys that may verify.

    Ed25519 keys are for access tokens; RSA keys, where there are some, for what
    other programs read (ID tokens).
    """

    kid: str
    private: Ed25519PrivateKey
    public: Mapping[str, Ed25519PublicKey]
    rsa_private: RSAPrivateKey | None = None
    rsa_public: Mapping[str, RSAPublicKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says: whose, and which session stands behind it."""

    user_id: int
    session_id: int


def signing_keys(
    private_keys: Sequence[Ed25519PrivateKey], rsa_keys: Sequence[RSAPrivateKey] = ()
) -> SigningKeys:
    """Keys by id; the first of a kind signs, all verify (two live in a rotation)."""
    public = {key_id(key.public_key()): key.public_key() for key in private_keys}
    first = private_keys[0]
    return SigningKeys(
        key_id(first.public_key()),
        first,
        public,
        rsa_keys[0] if rsa_keys else None,
        {rsa_key_id(key.public_key()): key.public_key() for key in rsa_keys},
    )


def key_id(public: Ed25519PublicKey) -> str:
    """The RFC 7638 thumbprint, shortened."""
    raw = _base64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{raw}"}}'
    return _base64(hashlib.sha256(canonical.encode()).digest())[:16]


def rsa_key_id(public: RSAPublicKey) -> str:
    """The RFC 7638 thumbprint, shortened."""
    facts = _rsa_facts(public)
    canonical = f'{{"e":"{facts["e"]}","kty":"RSA","n":"{facts["n"]}"}}'
    return _base64(hashlib.sha256(canonical.encode()).digest())[:16]


def _rsa_facts(public: RSAPublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    return {
        name: _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        for name, value in (("e", numbers.e), ("n", numbers.n))
    }


def key_set(keys: SigningKeys) -> dict[str, Any]:
    """The JWKS document (RFC 7517, RFC 8037)."""
    head = {"use": "sig"}
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                **head,
                "alg": ALGORITHM,
                "kid": kid,
                "x": _base64(key.public_bytes(Encoding.Raw, PublicFormat.Raw)),
            }
            for kid, key in keys.public.items()
        ]
        + [
            {"kty": "RSA", **head, "alg": RSA_ALGORITHM, "kid": kid, **_rsa_facts(key)}
            for kid, key in keys.rsa_public.items()
        ]
    }


def statement_algorithm(keys: SigningKeys) -> str:
    """How `write_statement` signs: RS256 where there is a key for it."""
    return RSA_ALGORITHM if keys.rsa_private is not None else ALGORITHM


def write_statement(keys: SigningKeys, body: Mapping[str, Any]) -> str:
    """Signed claims for other programs to read; never an access token of ours."""
    key: Ed25519PrivateKey | RSAPrivateKey = keys.rsa_private or keys.private
    kid = next(iter(keys.rsa_public)) if keys.rsa_private is not None else keys.kid
    algorithm = statement_algorithm(keys)
    return jwt.encode(dict(body), key, algorithm=algorithm, headers={"kid": kid})


def read_statement(keys: SigningKeys, token: str) -> dict[str, Any]:
    """The claims of a statement that we signed, however old.

    Raises TokenInvalid; whom it is for, and when, is the caller's to compare.
    """
    if len(token) > 2 * TOKEN_CHARACTERS_MAX:
        raise TokenInvalid("too long")
    try:
        header = jwt.get_unverified_header(token)
        kid, rsa = header.get("kid", ""), header.get("alg") == RSA_ALGORITHM
        key = keys.rsa_public.get(kid) if rsa else keys.public.get(kid)
        if key is None or header.get("typ") == HEADER_TYPE:
            raise TokenInvalid("no statement of ours")
        return jwt.decode(
            token,
            key,
            algorithms=[RSA_ALGORITHM if rsa else ALGORITHM],
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise TokenInvalid(type(error).__name__) from error


def write_access_token(
    keys: SigningKeys, claims: AccessClaims, *, issuer: str, jti: str, now: datetime
) -> str:
    """A signed token that lives for ACCESS_LIFETIME."""
    issued = int(now.timestamp())
    body = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(claims.user_id),
        "sid": claims.session_id,
        "typ": TOKEN_TYPE,
        "jti": jti,
        "iat": issued,
        "exp": issued + int(ACCESS_LIFETIME.total_seconds()),
    }
    headers = {"kid": keys.kid, "typ": HEADER_TYPE}
    return jwt.encode(body, keys.private, algorithm=ALGORITHM, headers=headers)


def read_access_token(
    keys: SigningKeys, token: str, *, issuer: str, now: datetime
) -> AccessClaims:
    """The claims; raises TokenInvalid for all that is not honest and current."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise TokenInvalid("too long")
    try:
        header = _header(token.partition(".")[0])
        key = keys.public.get(header.get("kid", ""))
        if key is None or header.get("typ") != HEADER_TYPE:
            raise TokenInvalid("not signed by a key of ours")
        body = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=issuer,
            # The caller's clock decides, below.
            options={
                "require": _REQUIRED,
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise TokenInvalid(type(error).__name__) from error
    return _claims(body, now)


@lru_cache(maxsize=16)
def _header(segment: str) -> Mapping[str, Any]:
    """What a token's first part says of its key: the same of all that a key signed."""
    return jwt.get_unverified_header(f"{segment}.e30.")


def _claims(body: dict[str, Any], now: datetime) -> AccessClaims:
    issued, expires, session_id = body["iat"], body["exp"], body["sid"]
    whole = all(type(value) is int for value in (issued, expires, session_id))
    subject = body["sub"]
    if not whole or body["typ"] != TOKEN_TYPE or not subject.isdecimal():
        raise TokenInvalid("malformed claims")
    if not issued - _SKEW_S <= now.timestamp() < expires:
        raise TokenInvalid("not now")
    return AccessClaims(user_id=int(subject), session_id=session_id)


_SKEW_S = 60


def digest_of(token: str) -> str:
    """What the database keeps of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
