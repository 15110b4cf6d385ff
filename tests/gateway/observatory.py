"""How the MDN HTTP Observatory would score an answer, by its published rules.

Facts from developer.mozilla.org/en-US/observatory/docs/tests_and_scoring and the
table of modifiers of its scorer, as of 2026: 100 to begin with, penalties, and
bonuses only for whoever has 90 left. The code is ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

BEGIN, BONUS_FROM = 100, 90
SIX_MONTHS_S = 15_768_000
BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*"}
PRIVATE_REFERRER = {
    "no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin",
}  # fmt: skip
UNSAFE_REFERRER = {
    "origin", "origin-when-cross-origin", "unsafe-url", "no-referrer-when-downgrade",
}  # fmt: skip


def judge(
    headers: Mapping[str, str], body: str, cookies: Sequence[str]
) -> dict[str, int]:
    """Each test's modifier for one answer over HTTPS."""
    policy = directives(headers.get("content-security-policy", ""))
    return {
        "csp": _policy(policy),
        "cookies": _cookies(cookies, headers),
        "cors": _cors(headers),
        "hsts": _hsts(headers.get("strict-transport-security", "")),
        "referrer": _referrer(headers.get("referrer-policy", "")),
        "sri": _scripts(headers, body),
        "nosniff": 0 if headers.get("x-content-type-options") == "nosniff" else -5,
        "framing": _framing(headers, policy),
        "corp": _resource_policy(headers.get("cross-origin-resource-policy")),
    }


def score(modifiers: Mapping[str, int]) -> int:
    """The number that the Observatory shows."""
    left = BEGIN + sum(number for number in modifiers.values() if number < 0)
    if left >= BONUS_FROM:
        left += sum(number for number in modifiers.values() if number > 0)
    return max(0, left)


def directives(policy: str) -> dict[str, set[str]]:
    """A content policy, directive by directive."""
    found: dict[str, set[str]] = {}
    for part in policy.split(";"):
        name, *sources = part.split()
        assert name not in found, f"{name} stands twice"
        found[name] = set(sources)
    return found if policy else {}


def _policy(policy: Mapping[str, set[str]]) -> int:
    if not policy:
        return -25
    fallback = policy.get("default-src", {"*"})
    script, style, objects = (
        policy.get(name, fallback) for name in ("script-src", "style-src", "object-src")
    )
    everything = set().union(*policy.values())
    if script & (BROAD | {"'unsafe-inline'", "data:"}) or objects & BROAD:
        return -20
    if any(source.startswith(("http:", "ftp:")) for source in everything):
        return -20
    if "'unsafe-eval'" in script | style:
        return -10
    if style & (BROAD | {"'unsafe-inline'", "data:"}):
        return 0
    closed_forms = policy.get("form-action", {"*"}) <= {"'self'", "'none'"}
    return 10 if policy.get("default-src") == {"'none'"} and closed_forms else 5


def _cookies(cookies: Sequence[str], headers: Mapping[str, str]) -> int:
    if not cookies:
        return 0
    worst = 5
    for text in cookies:
        for name, cookie in SimpleCookie(text).items():
            is_session = "sess" in name.lower()
            is_guard = "csrf" in name.lower()
            same_site = str(cookie["samesite"]).lower()
            if not cookie["secure"]:
                protected = "strict-transport-security" in headers
                worst = min(worst, -10 if protected else -40)
            if is_session and not cookie["httponly"]:
                worst = min(worst, -30)
            if same_site not in {"", "lax", "strict"} or (is_guard and not same_site):
                worst = min(worst, -20)
            if not same_site:
                worst = min(worst, 0)
    return worst


def _cors(headers: Mapping[str, str]) -> int:
    allowed = headers.get("access-control-allow-origin")
    with_credentials = headers.get("access-control-allow-credentials") == "true"
    return -50 if allowed and with_credentials else 0


def _hsts(text: str) -> int:
    found = re.search(r"max-age=(\d+)", text)
    if found is None:
        return -20
    return 0 if int(found[1]) >= SIX_MONTHS_S else -10


def _referrer(text: str) -> int:
    if not text:
        return 0
    last = text.rpartition(",")[2].strip().lower()
    if last in PRIVATE_REFERRER:
        return 5
    return -5 if last in UNSAFE_REFERRER or last else 0


def _scripts(headers: Mapping[str, str], body: str) -> int:
    if "text/html" not in headers.get("content-type", ""):
        return 0
    sources = re.findall(r"<script[^>]*\ssrc=[\"']([^\"']+)", body)
    foreign = [source for source in sources if urlsplit(source).netloc]
    if any(urlsplit(source).scheme != "https" for source in foreign):
        return -50
    return -5 if foreign else 0


def _framing(headers: Mapping[str, str], policy: Mapping[str, set[str]]) -> int:
    ancestors = policy.get("frame-ancestors")
    if ancestors is not None and not ancestors & BROAD:
        return 5
    return 0 if headers.get("x-frame-options") in {"DENY", "SAMEORIGIN"} else -20


def _resource_policy(text: str | None) -> int:
    known = {None: 0, "same-origin": 10, "same-site": 10, "cross-origin": 0}
    return known.get(text, -5)
