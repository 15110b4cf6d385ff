"""An anchor: the head of the audit chain at a moment, signed.

A chain alone does not show that its tail was cut or all of it was written anew.
An anchor that lies elsewhere does.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = 1


class AnchorRefused(ValueError):
    """No anchor, or not signed by a key of ours; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The last link of the chain when it was signed.

    `previous` is the digest of the anchor before, so that one that was taken
    away is missed.
    """

    number: int
    anchored_at: datetime
    stream: str
    sequence: int
    entry_id: int
    hash: str
    previous: str = ""

    def signed_bytes(self) -> bytes:
        """What the signature is over: JSON with sorted keys and no spaces."""
        facts = {"format": FORMAT, **asdict(self)}
        facts["anchored_at"] = self.anchored_at.isoformat()
        return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.signed_bytes()).hexdigest()


def key_id(public: Ed25519PublicKey) -> str:
    """A short name of a public key."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def sealed_anchor(anchor: Anchor, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The anchor with its signature, as it is written."""
    facts = json.loads(anchor.signed_bytes())
    signature = base64.b64encode(key.sign(anchor.signed_bytes())).decode()
    return {**facts, "kid": key_id(key.public_key()), "signature": signature}


def read_anchor(facts: dict[str, Any], keys: dict[str, Ed25519PublicKey]) -> Anchor:
    """The anchor; raises AnchorRefused unless one of the keys signed it."""
    try:
        anchor = Anchor(
            number=int(facts["number"]),
            anchored_at=datetime.fromisoformat(facts["anchored_at"]),
            stream=str(facts["stream"]),
            sequence=int(facts["sequence"]),
            entry_id=int(facts["entry_id"]),
            hash=str(facts["hash"]),
            previous=str(facts["previous"]),
        )
        signature = base64.b64decode(facts["signature"], validate=True)
        kid = str(facts["kid"])
    except (KeyError, TypeError, ValueError) as error:
        raise AnchorRefused("It is no anchor.") from error
    if kid not in keys:
        raise AnchorRefused(f"It is signed by an unknown key ({kid}).")
    try:
        keys[kid].verify(signature, anchor.signed_bytes())
    except InvalidSignature as error:
        raise AnchorRefused("Its signature is wrong.") from error
    return anchor
