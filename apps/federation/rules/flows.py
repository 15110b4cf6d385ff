"""What one sign-in through a provider is known by on its way there and back.

State, nonce, PKCE verifier and the id of a SAML request are HMACs over the row of
the flow with the installation's key: the table holds nothing that helps a thief,
and a word of one flow fits no other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta

FLOW_LIFETIME = timedelta(minutes=10)
NONCE_BYTES = 16
# Tabs of one browser that may be on their way at the same time.
FLOWS_IN_BROWSER_MAX = 5
_REQUEST = re.compile(r"^_dm([1-9][0-9]{0,17})-[A-Za-z0-9_-]{43}$")


@dataclass(frozen=True, slots=True)
class FlowWords:
    """`state` and `nonce` (OIDC Core 3.1.2.1), `verifier` (RFC 7636), `request_id`."""

    state: str
    nonce: str
    verifier: str
    request_id: str

    @property
    def challenge(self) -> str:
        return s256(self.verifier)


def words_of(key: str, *, flow_id: int, nonce: str) -> FlowWords:
    """The words of one flow; the same each time."""

    def word(use: str) -> str:
        text = f"dotmac federation v1:{use}:{flow_id}:{nonce}"
        return base64url(hmac.digest(key.encode(), text.encode(), "sha256"))

    return FlowWords(
        state=word("state"),
        nonce=word("nonce"),
        verifier=word("verifier"),
        request_id=f"_dm{flow_id}-{word('request')}",
    )


def flow_id_of(request_id: str) -> int | None:
    """Which flow a SAML answer speaks of; whether it may is compared afterwards."""
    found = _REQUEST.match(request_id)
    return int(found[1]) if found else None


def same(one: str, other: str) -> bool:
    """Equal, without telling by time where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def s256(verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636, 4.2)."""
    return base64url(hashlib.sha256(verifier.encode()).digest())


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
