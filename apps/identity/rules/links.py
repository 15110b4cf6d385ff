"""One-time links that no table holds: made of the row's id and a key.

The row keeps a nonce and the digest of the token; the token itself is an HMAC
that only the installation's processes can make. A mail is stored without it and
filled in when it is sent (dotmac.core.letters).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

from apps.identity.rules.tokens import digest_of

TOKEN_CHARACTERS_MAX = 64


def link_token(key: str, *, kind: str, row_id: int, nonce: str) -> str:
    """The secret part of the link of one row."""
    text = f"dotmac link v1:{kind}:{row_id}:{nonce}"
    made = hmac.digest(key.encode(), text.encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def token_of_digest(
    keys: Iterable[str], *, kind: str, row_id: int, nonce: str, digest: str
) -> str | None:
    """The token whose digest the row keeps: an older key may have made it."""
    for key in keys:
        token = link_token(key, kind=kind, row_id=row_id, nonce=nonce)
        if hmac.compare_digest(digest_of(token), digest):
            return token
    return None
