"""The way of a browser to a provider and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from django.test import Client

from apps.federation.models import LinkedPerson
from apps.identity.models import RoleAssignment, Session
from apps.ops.models import AuditEntry

SLUG = "head-office"


def ask(browser: Client, door: str = "console", wanted: str = "") -> str:
    """Begin; the address at the provider."""
    query = f"?next={wanted}" if wanted else ""
    answer = browser.get(f"/{door}/federation/{SLUG}/begin{query}")
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def answered(address: str) -> str:
    """What the OpenID provider sends the browser back to, without the host."""
    answer = httpx.get(address)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def come_in(browser: Client | None = None, door: str = "console", **asked: Any) -> Any:
    """There and back; the answer of the callback."""
    browser = browser or Client()
    return browser.get(answered(ask(browser, door, **asked)))


def post_saml(browser: Client, value: str, door: str = "console") -> Any:
    """The provider's form, from another site: without our cookie; then the GET."""
    root = f"/{door}/federation/{SLUG}"
    answer = Client().post(f"{root}/acs", {"SAMLResponse": value})
    if answer.status_code != 303:
        return answer
    assert answer["Location"].startswith(f"{root}/finish?word=")
    return browser.get(answer["Location"])


def session_of(browser: Client, door: str = "console") -> Any:
    """The row behind the browser's cookie, of any stage; None for a stranger."""
    found = browser.session.get(f"{door}_sid")
    return Session.objects.filter(pk=found or 0).first()


def roles_of(user_id: int) -> set[str]:
    held = RoleAssignment.objects.filter(user_id=user_id)
    return set(held.values_list("role__slug", flat=True))


def why_refused() -> str:
    """What the latest refusal says in the audit."""
    rows = AuditEntry.objects.filter(action="federation.refuse_sign_in")
    return str(rows.latest("pk").changes["why"])


def assert_refused(answer: Any, why: str = "") -> None:
    """The neutral page, no session, and the reason in the audit alone."""
    assert answer.status_code == 401, answer.content
    body = answer.content.decode()
    assert "could not be signed in this way" in body
    assert answer.client.session.get("console_sid") is None
    assert answer.client.session.get("portal_sid") is None
    if why:
        assert why_refused() == why
        assert why not in body


def nobody_linked() -> bool:
    return not LinkedPerson.objects.exists()
