"""Who is let in, and with which roles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.federation.enums import Refusal
from apps.federation.rules.proofs import Proof

DOMAINS_MAX = 50
_DOMAIN = re.compile(
    r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$"
)
# A second factor of unknown age is older than what dangerous operations want.
STALE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Members of a group hold a role in a unit and below it."""

    group: str
    role_id: int
    unit_id: int


def plain_domains(names: Iterable[str]) -> list[str] | None:
    """Domains in lower case, each once; None when one is malformed or none is left.

    A domain stands for itself and not for what is below it.
    """
    found: list[str] = []
    for name in names:
        plain = name.strip().lower().removeprefix("@").removesuffix(".")
        if len(plain) > 253 or not _DOMAIN.match(plain):
            return None
        if plain not in found:
            found.append(plain)
    return found if 0 < len(found) <= DOMAINS_MAX else None


def refusal_of_address(
    proof: Proof, *, domains: Sequence[str], trusts_email: bool
) -> Refusal | None:
    """Why the person's address does not open this connection, if so.

    `trusts_email`: the operator says that this provider hands out only addresses
    which it has checked, though it does not say so of each (Entra, SAML).
    """
    _local, at, domain = proof.email.rpartition("@")
    if not at or not (proof.email_verified or trusts_email):
        return Refusal.EMAIL_UNVERIFIED
    if domain.lower() not in domains:
        return Refusal.OTHER_DOMAIN
    return None


def roles_for(groups: Iterable[str], table: Iterable[Mapping]) -> set[tuple[int, int]]:
    """(role, unit) of every line whose group the person is in, by exact name."""
    held = set(groups)
    return {(line.role_id, line.unit_id) for line in table if line.group in held}


def second_factor_at(
    proof: Proof, *, trusts_mfa: bool, now: datetime
) -> datetime | None:
    """When the provider saw a second factor; None where ours is asked.

    Without a time it counts as old: enough to come in, not for what is dangerous.
    """
    if not (trusts_mfa and proof.mfa):
        return None
    at = proof.authenticated_at
    return min(at, now) if at is not None else now - STALE
