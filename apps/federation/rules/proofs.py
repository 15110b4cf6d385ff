"""What a provider says of a person, in one form for both protocols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

GROUPS_MAX = 500
_TEXT_MAX = 255
# RFC 8176: "mfa", or something one has or is beside something one knows.
_KNOWN = frozenset({"pwd", "pin", "kba"})
_HAD = frozenset({"otp", "hwk", "swk", "sc", "sms", "tel", "fpt", "face", "iris"})


class Distrusted(Exception):
    """The answer does not stand up; the text says why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A person as the provider vouches for: everything here was signed for us."""

    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    groups: tuple[str, ...] = ()
    mfa: bool = False
    authenticated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the claims of one connection are read."""

    group_claim: str
    mfa_words: tuple[str, ...] = ()


def proof_of_claims(claims: Mapping[str, Any], reading: Reading) -> Proof:
    """From an ID token, and what userinfo added (OIDC Core 5.1).

    `email_verified` counts only as true or "true": silence is no verification.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _TEXT_MAX:
        raise Distrusted("no subject")
    return Proof(
        subject=subject,
        email=_text(claims.get("email")),
        email_verified=claims.get("email_verified") in (True, "true"),
        name=_text(claims.get("name")),
        groups=groups_in(_at(claims, reading.group_claim)),
        mfa=_is_mfa(claims.get("amr"), claims.get("acr"), reading.mfa_words),
        authenticated_at=_instant(claims.get("auth_time")),
    )


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by its path: Keycloak has realm_access.roles."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def groups_in(value: Any) -> tuple[str, ...]:
    """A list of names, or one name. More than 500 are refused, not cut."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)):
        return ()
    if len(names) > GROUPS_MAX:
        raise Distrusted("too many groups")
    return tuple(
        name for name in names if isinstance(name, str) and 0 < len(name) <= _TEXT_MAX
    )


def _is_mfa(amr: Any, acr: Any, words: Iterable[str]) -> bool:
    methods = (
        {name for name in amr if isinstance(name, str)} if _is_list(amr) else set()
    )
    if "mfa" in methods or (methods & _KNOWN and methods & _HAD):
        return True
    wanted = set(words)
    return (isinstance(acr, str) and acr in wanted) or bool(methods & wanted)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _text(value: Any) -> str:
    """Plain words of a length that the tables hold, or none."""
    short = isinstance(value, str) and len(value) < _TEXT_MAX and value.isprintable()
    return value.strip() if short else ""


def _instant(value: Any) -> datetime | None:
    if type(value) is not int or not 0 < value < 2**33:
        return None
    return datetime.fromtimestamp(value, tz=UTC)


def to_plain(proof: Proof) -> dict[str, Any]:
    """As JSON, for the short way from the assertion to the browser's return."""
    at = proof.authenticated_at
    return {**asdict(proof), "authenticated_at": at.isoformat() if at else None}


def from_plain(plain: Mapping[str, Any]) -> Proof:
    at = plain["authenticated_at"]
    return replace(
        Proof(**{**plain, "authenticated_at": None}),
        groups=tuple(plain["groups"]),
        authenticated_at=datetime.fromisoformat(at) if at else None,
    )
