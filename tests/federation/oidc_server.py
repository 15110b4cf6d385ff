"""An OpenID provider as the published protocol has it, for one application.

It checks what a provider checks: redirect URI, client and secret, that a code is
used once, and PKCE. Tokens are signed by joserfc, not by the library under test.
`twist` changes the claims, `key_of` the key, of the next ID token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.federation.serving import Answer, Served, as_json, to

CLIENT = "dotmac"
SECRET = "a secret: with colon & blanks"


@cache
def _two_keys() -> tuple[RSAKey, RSAKey]:
    """Made once a process: they cost more than the rest of a test."""
    one, other = (
        RSAKey.generate_key(2048, parameters={"kid": "one"}) for _each in range(2)
    )
    return one, other


class OidcServer(Served):
    """`person` holds the claims of whoever is signed in there."""

    def __init__(self, redirect_uri: str) -> None:
        super().__init__()
        self.redirect_uri = redirect_uri
        self.key, self.other_key = _two_keys()
        self.person: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        self.posts_secret = self.knows_no_secret = False
        self.codes: dict[str, dict[str, str]] = {}
        self.twist: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.routes = {
            "/.well-known/openid-configuration": self._discovery,
            "/keys": self._keys,
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }

    def signed(self, claims: dict[str, Any], alg: str = "RS256") -> str:
        return jwt.encode(
            {"alg": alg, "kid": self.key.kid}, claims, self.key, algorithms=[alg]
        )

    def unsigned(self, claims: dict[str, Any]) -> str:
        """With `alg` none."""
        parts = [{"alg": "none", "kid": self.key.kid}, claims]
        return ".".join([*(_b64(jwt_json(part)) for part in parts), ""])

    def by_public_key(self, claims: dict[str, Any]) -> str:
        """HS256 with the public key as its secret: the classic confusion."""
        parts = [{"alg": "HS256", "kid": self.key.kid}, claims]
        text = ".".join(_b64(jwt_json(part)) for part in parts)
        pem = self.key.as_pem(private=False)
        return f"{text}.{_b64(hmac.digest(pem, text.encode(), 'sha256'))}"

    def by_other_key(self, claims: dict[str, Any]) -> str:
        return jwt.encode(
            {"alg": "RS256", "kid": "one"}, claims, self.other_key, algorithms=["RS256"]
        )

    # Endpoints ------------------------------------------------------------------

    def _discovery(self, *_asked: Any) -> Answer:
        method = "client_secret_post" if self.posts_secret else "client_secret_basic"
        return as_json(
            {
                "issuer": self.base,
                "authorization_endpoint": f"{self.base}/authorize",
                "token_endpoint": f"{self.base}/token",
                "jwks_uri": f"{self.base}/keys",
                "userinfo_endpoint": f"{self.base}/userinfo",
                "token_endpoint_auth_methods_supported": [method],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _keys(self, *_asked: Any) -> Answer:
        return as_json({"keys": [self.key.as_dict(private=False, use="sig")]})

    def _authorize(self, _method: str, query: dict[str, str], *_rest: Any) -> Answer:
        wrong = (
            query.get("response_type") != "code"
            or query.get("client_id") != CLIENT
            or query.get("redirect_uri") != self.redirect_uri
            or query.get("code_challenge_method") != "S256"
            or "openid" not in query.get("scope", "").split()
        )
        if wrong:
            return as_json({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        facts = {"code": code, "state": query["state"], "iss": self.base}
        return to(f"{self.redirect_uri}?{urlencode(facts)}")

    def _token(
        self, _method: str, _query: Any, form: dict[str, str], headers: Any
    ) -> Answer:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or not self._is_client(form, headers):
            return as_json({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if _b64(digest) != asked["code_challenge"]:
            return as_json({"error": "invalid_grant"}, 400)
        access, now = secrets.token_urlsafe(16), int(time.time())
        claims = {
            "iss": self.base, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "at_hash": half(access), **self.person,
        }  # fmt: skip
        self.twist(claims)
        return as_json(
            {
                "access_token": access,
                "token_type": "Bearer",
                "id_token": self.sign(claims),
            }
        )

    def _is_client(self, form: dict[str, str], headers: Any) -> bool:
        if form.get("redirect_uri") != self.redirect_uri:
            return False
        if self.knows_no_secret:
            return "Authorization" not in headers and "client_secret" not in form
        if self.posts_secret:
            return (form.get("client_id"), form.get("client_secret")) == (
                CLIENT,
                SECRET,
            )
        _scheme, _blank, text = headers.get("Authorization", "").partition(" ")
        name, _colon, secret = base64.b64decode(text).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)

    def _userinfo(self, *_asked: Any) -> Answer:
        return as_json({"sub": self.person.get("sub"), **self.more})


def jwt_json(part: dict[str, Any]) -> bytes:
    return json.dumps(part).encode()


def half(text: str) -> str:
    return _b64(hashlib.sha256(text.encode()).digest()[:16])


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
