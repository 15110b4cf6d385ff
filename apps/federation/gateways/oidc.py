"""OpenID providers over HTTP: discovery, keys, codes for tokens, userinfo.

What a provider publishes is kept for five minutes in each process. A key that is
not among those kept is looked for again, every half a minute at most, so that a
stranger's tokens do not make us knock at the provider's door.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.conf import settings

from apps.federation.rules.addresses import is_safe
from apps.federation.rules.id_tokens import KEYS_MAX
from apps.federation.rules.proofs import Distrusted
from dotmac.core.http import OutsideUnreachable, call, outside

KEPT = timedelta(minutes=5)
LOOK_AGAIN = timedelta(seconds=30)
_PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What the discovery document says (OIDC Discovery 3)."""

    issuer: str
    authorize: str
    token: str
    keys: str
    userinfo: str = ""
    posts_secret: bool = False
    speaks_pkce: bool = False


@dataclass(slots=True)
class _Kept:
    value: Any
    at: datetime


_PROVIDERS: dict[str, _Kept] = {}
_KEYS: dict[str, _Kept] = {}


def forget() -> None:
    """Ask everything anew: after a connection was changed, and between tests."""
    _PROVIDERS.clear()
    _KEYS.clear()


def may_be_plain() -> bool:
    """Plain HTTP to this machine: for development and tests only."""
    return settings.ENVIRONMENT in {"development", "test"}


def discover(issuer: str, *, now: datetime) -> Provider:
    """The provider of an issuer, which has to call itself exactly so.

    Raises OutsideUnreachable, and Distrusted for a document that does not fit.
    """
    kept = _PROVIDERS.get(issuer)
    if kept is None or not timedelta() <= now - kept.at < KEPT:
        found = _provider(_get(issuer.rstrip("/") + _PATH), issuer)
        kept = _PROVIDERS[issuer] = _Kept(found, now)
    provider: Provider = kept.value
    return provider


def _provider(document: Mapping[str, Any], issuer: str) -> Provider:
    if document.get("issuer") != issuer:
        raise Distrusted("discovery: another issuer")
    found = {
        name: document.get(key) or ""
        for name, key in (
            ("authorize", "authorization_endpoint"),
            ("token", "token_endpoint"),
            ("keys", "jwks_uri"),
            ("userinfo", "userinfo_endpoint"),
        )
    }
    for name, address in found.items():
        if not address and name == "userinfo":
            continue
        if not isinstance(address, str) or not is_safe(
            address, loopback=may_be_plain(), query=True
        ):
            raise Distrusted(f"discovery: {name}")
    methods = document.get("token_endpoint_auth_methods_supported")
    basic = not isinstance(methods, list) or "client_secret_basic" in methods
    pkce = document.get("code_challenge_methods_supported")
    return Provider(
        issuer=issuer,
        posts_secret=not basic,
        speaks_pkce=isinstance(pkce, list) and "S256" in pkce,
        **found,
    )


def authorize_url(provider: Provider, **asked: str) -> str:
    """Where the browser asks for a code (Core 3.1.2.1)."""
    query = urlencode(
        {"response_type": "code", "code_challenge_method": "S256", **asked}
    )
    return f"{provider.authorize}{'&' if '?' in provider.authorize else '?'}{query}"


def keys_of(
    provider: Provider, *, now: datetime, anew: bool = False
) -> list[dict[str, Any]]:
    """The provider's public keys (RFC 7517); `anew` where one was not among them."""
    kept = _KEYS.get(provider.keys)
    age = LOOK_AGAIN if anew else KEPT
    if kept is None or not timedelta() <= now - kept.at < age:
        kept = _KEYS[provider.keys] = _Kept(_keys(_get(provider.keys)), now)
    keys: list[dict[str, Any]] = kept.value
    return keys


def _keys(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = document.get("keys")
    if not isinstance(keys, list) or len(keys) > KEYS_MAX:
        raise Distrusted("keys: no list")
    return [key for key in keys if isinstance(key, dict)]


def redeem(
    provider: Provider,
    *,
    client_id: str,
    secret: str,
    code: str,
    verifier: str,
    return_address: str,
) -> tuple[str, str]:
    """The ID token and the access token for a code (Core 3.1.3)."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": return_address,
        "code_verifier": verifier,
        "client_id": client_id,
    }
    auth = None
    if secret and provider.posts_secret:
        form["client_secret"] = secret
    elif secret:
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        auth = (quote_plus(client_id), quote_plus(secret))
    with outside(provider.token, Accept="application/json") as client:
        answer = call(client, "POST", provider.token, data=form, auth=auth)
    tokens = _object(answer, provider.token)
    id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise Distrusted("token endpoint: no tokens")
    return id_token, access_token


def userinfo(provider: Provider, access_token: str) -> dict[str, Any]:
    """The claims at userinfo (Core 5.3); whose they are is the caller's to compare."""
    return _get(provider.userinfo, Authorization=f"Bearer {access_token}")


def fetch_metadata(address: str) -> bytes:
    """The metadata of a SAML provider as it is served."""
    with outside(address) as client:
        answer = call(client, "GET", address)
    if answer.status_code != 200:
        raise OutsideUnreachable(f"{address} answered {answer.status_code}.")
    return answer.content


def _get(address: str, **headers: str) -> dict[str, Any]:
    with outside(address, Accept="application/json", **headers) as client:
        return _object(call(client, "GET", address), address)


def _object(answer: Any, address: str) -> dict[str, Any]:
    if answer.status_code >= 500:
        raise OutsideUnreachable(f"{address} answered {answer.status_code}.")
    if answer.status_code != 200:
        raise Distrusted(f"{address} answered {answer.status_code}")
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise Distrusted(f"{address}: no JSON") from error
    if not isinstance(found, dict):
        raise Distrusted(f"{address}: no object")
    return found
