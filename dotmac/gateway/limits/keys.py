"""What a rule counts by. Redis sees digests, neither addresses nor names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_network
from typing import Any

from django.conf import settings

from dotmac.core.actors import Actor
from dotmac.core.addresses import read_address
from dotmac.gateway.limits.policies import Part, Rule

PREFIX = "dotmac:limit"
_DIGITS = re.compile(r"\d+")
_ROUTE_MAX = 200
_DIGEST_BYTES = 12


def key_of(rule: Rule, request: Any) -> str:
    """The key in Redis; the same for all that the rule counts together."""
    values = "\n".join(f"{part}={_VALUES[part](request)}" for part in rule.by)
    digest = hashlib.blake2b(values.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    # A service behind the gateway counts apart: each request passes both.
    service = settings.DOTMAC_SERVICE or "all"
    return f"{PREFIX}:{service}:{rule.name}:{digest}"


def keys_of(rules: Sequence[Rule], request: Any) -> list[str]:
    """One key for each rule."""
    return [key_of(rule, request) for rule in rules]


def network_of(address: str) -> str:
    """The address as the limiter sees it: who has one IPv6 address has a /64."""
    try:
        parsed = read_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(ip_network((parsed, 64), strict=False))


def _address(request: Any) -> str:
    return network_of(request.client_address)


def _principal(request: Any) -> str:
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        return f"stranger:{_address(request)}"
    return f"{actor.kind}:{actor.id}"


def _scope(request: Any) -> str:
    """Whose quota is used up: the operator's, some units', some customers'.

    Who only holds grants on customers has one of his own.
    """
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        return "strangers"
    units: set[int] = set()
    customers: set[int] = set()
    for scope in actor.scopes.values():
        if scope.everything:
            return "operator"
        units |= scope.unit_ids
        customers |= scope.customer_ids
    if units:
        return f"units:{sorted(units)}"
    if customers:
        return f"customers:{sorted(customers)}"
    return _principal(request)


def _route(request: Any) -> str:
    return _DIGITS.sub("N", str(request.path)[:_ROUTE_MAX])


_VALUES: dict[Part, Callable[[Any], str]] = {
    Part.ADDRESS: _address,
    Part.PRINCIPAL: _principal,
    Part.SCOPE: _scope,
    Part.ROUTE: _route,
}
