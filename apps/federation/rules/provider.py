"""What applications may ask of DotMac as OpenID provider, and how they prove it.

One way only: the authorisation code flow with PKCE (RFC 6749 4.1, RFC 7636 with
S256, RFC 9700 2.1). Addresses to return to are compared letter by letter.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote_plus, urlencode, urlsplit

from apps.federation.rules.addresses import is_safe
from apps.federation.rules.flows import s256, same

CODE_LIFETIME = timedelta(minutes=1)
TOKEN_LIFETIME = timedelta(hours=1)
ID_TOKEN_LIFETIME = timedelta(minutes=10)
# What `prompt=login` takes for "just now".
JUST_NOW_S = 120
ADDRESSES_MAX = 10
PARAMETER_MAX = 1_000
SCOPES = {
    "openid": "who you are",
    "profile": "your name and sign-in name",
    "email": "your e-mail address",
    "groups": "your roles",
}
_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")
_VERIFIER = re.compile(r"^[A-Za-z0-9._~-]{43,128}$")
_AGE = re.compile(r"^[0-9]{1,9}$")
_UNSUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


class AskedWrongly(Exception):
    """An error that the application is told at its own address (Core 3.1.2.6)."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request for a code that is well-formed."""

    scopes: tuple[str, ...]
    challenge: str
    nonce: str
    prompts: frozenset[str]
    age_s_max: int | None


def is_return_address(text: str) -> bool:
    """https, or http to the own machine (RFC 8252, 7.3); never with a fragment."""
    return is_safe(text, loopback=True, query=True)


def wish_of(asked: Mapping[str, str]) -> Wish:
    """The parameters of /authorize behind a known application and return address."""
    for name, error in _UNSUPPORTED.items():
        if asked.get(name):
            raise AskedWrongly(error, f"{name} is not supported.")
    if asked.get("response_type") != "code":
        raise AskedWrongly("unsupported_response_type", "Only code is given.")
    if asked.get("response_mode", "query") != "query":
        raise AskedWrongly("invalid_request", "Only response_mode=query is given.")
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.match(
        asked.get("code_challenge", "")
    ):
        raise AskedWrongly("invalid_request", "PKCE with S256 is required.")
    scopes = tuple(name for name in SCOPES if name in asked.get("scope", "").split())
    if "openid" not in scopes:
        raise AskedWrongly("invalid_scope", "The scope openid is required.")
    return Wish(
        scopes=scopes,
        challenge=asked["code_challenge"],
        nonce=_nonce(asked),
        prompts=_prompts(asked),
        age_s_max=_age(asked),
    )


def _nonce(asked: Mapping[str, str]) -> str:
    nonce = asked.get("nonce", "")
    if len(nonce) > 255:
        raise AskedWrongly("invalid_request", "The nonce is too long.")
    return nonce


def _prompts(asked: Mapping[str, str]) -> frozenset[str]:
    prompts = frozenset(asked.get("prompt", "").split())
    if "none" in prompts and len(prompts) > 1:
        raise AskedWrongly("invalid_request", "prompt=none stands alone.")
    return prompts


def _age(asked: Mapping[str, str]) -> int | None:
    """How old the last proof of the person may be, in seconds."""
    text = asked.get("max_age", "")
    if text and not _AGE.match(text):
        raise AskedWrongly("invalid_request", "max_age is a number of seconds.")
    ages = [int(text)] if text else []
    if "login" in asked.get("prompt", "").split():
        ages.append(JUST_NOW_S)
    return min(ages) if ages else None


def is_too_old(wish: Wish, *, proved_at: datetime, now: datetime) -> bool:
    """Whether the person has to prove who it is again; `max_age=0` is "just now"."""
    if wish.age_s_max is None:
        return False
    allowed = max(wish.age_s_max, JUST_NOW_S if wish.age_s_max == 0 else 0)
    return (now - proved_at).total_seconds() > allowed


def answer_url(address: str, **facts: str) -> str:
    """The return address with the answer in its query; empty facts stay out."""
    query = urlencode({name: value for name, value in facts.items() if value})
    if not query:
        return address
    return f"{address}{'&' if urlsplit(address).query else '?'}{query}"


def fits_challenge(verifier: str, challenge: str) -> bool:
    """RFC 7636, 4.6."""
    return bool(_VERIFIER.match(verifier)) and same(s256(verifier), challenge)


@dataclass(frozen=True, slots=True)
class Credentials:
    """How an application names itself; `secret` is "" for a public one."""

    client_id: str
    secret: str = ""


def credentials_of(authorization: str, form: Mapping[str, str]) -> Credentials | None:
    """By client_secret_basic or client_secret_post, not by both (RFC 6749, 2.3.1)."""
    scheme, _blank, rest = authorization.partition(" ")
    if not authorization:
        client_id = form.get("client_id", "")
        found = Credentials(client_id, form.get("client_secret", ""))
        return found if client_id else None
    if scheme.lower() != "basic" or "client_secret" in form:
        return None
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, secret = text.partition(":")
    if not colon or form.get("client_id", unquote_plus(name)) != unquote_plus(name):
        return None
    return Credentials(unquote_plus(name), unquote_plus(secret))


def group_of(role: str, unit_id: int, *, at_operator: bool) -> str:
    """A role as other tools are told it: bare only where it reaches everything.

    An owner of a reseller must not be what `owner` means at the operator's Grafana.
    No slug has an @.
    """
    return role if at_operator else f"{role}@{unit_id}"


def claims_of(
    facts: Mapping[str, object], scopes: Collection[str]
) -> dict[str, object]:
    """What an application with these scopes learns of a person (Core 5.4)."""
    shown = {
        "profile": ("name", "preferred_username"),
        "email": ("email", "email_verified"),
        "groups": ("groups", "roles"),
    }
    names = [name for scope, each in shown.items() if scope in scopes for name in each]
    return {"sub": facts["sub"], **{n: facts[n] for n in names if n in facts}}
