"""An application that asks DotMac who somebody is, by its endpoints."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client

from apps.identity import selectors as people
from tests.federation.making import RETURN

VERIFIER = "v" * 64


def challenge_of(verifier: Any) -> Any:
    raw = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def wish(app: Any, **changes: Any) -> Any:
    asked = {
        "response_type": "code", "client_id": app.row.client_id,
        "redirect_uri": RETURN, "scope": "openid profile email groups",
        "state": "s-1", "nonce": "n-1", "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256", **changes,
    }  # fmt: skip
    return {name: value for name, value in asked.items() if value is not None}


def ask(browser: Any, app: Any, **changes: Any) -> Any:
    return browser.get(f"/console/authorize?{urlencode(wish(app, **changes))}")


def told(answer: Any) -> Any:
    """What the application is told at its own address."""
    assert answer.status_code == 302, answer.content
    parts = urlsplit(answer["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == RETURN
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def agree(browser: Any, app: Any, **changes: Any) -> Any:
    address = f"/console/authorize?{urlencode(wish(app, **changes))}"
    return told(browser.post(address, {"decision": "allow"}))


def exchange(app: Any, code: Any, **changes: Any) -> Any:
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": RETURN,
        "code_verifier": VERIFIER, "client_id": app.row.client_id,
        "client_secret": app.secret, **changes,
    }  # fmt: skip
    form = {name: value for name, value in form.items() if value is not None}
    return Client().post("/oidc/token", form)


def claims_in(given: Any) -> dict[str, Any]:
    """Of an ID token that we signed."""
    found = people.statement_of(given.json()["id_token"])
    assert found is not None
    return found


def userinfo(token: Any) -> Any:
    return Client().get("/oidc/userinfo", headers={"Authorization": f"Bearer {token}"})
