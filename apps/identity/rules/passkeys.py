"""WebAuthn by py_webauthn: what is asked of browsers, and whether they answered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

CHALLENGE_BYTES = 32
CREDENTIAL_ID_MAX = 1023
_TIMEOUT_MS = 120_000


class PasskeyInvalid(Exception):
    """The answer is not what was asked for, or not from the right key."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whose passkeys: the host, its name, and the origins pages may have."""

    host: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What a browser gave for a key that it just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backed_up: bool


def ask_for_new(
    site: Site,
    *,
    challenge: bytes,
    user_id: int,
    user_name: str,
    person: str,
    known: Iterable[bytes],
) -> dict[str, Any]:
    """Options of navigator.credentials.create; keys that are known make no second."""
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=f"dotmac:{user_id}".encode(),
        user_name=user_name,
        user_display_name=person,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return _plain(options_to_json(options))


def ask_for_known(
    site: Site, *, challenge: bytes, known: Iterable[bytes]
) -> dict[str, Any]:
    """Options of navigator.credentials.get; without known keys any of the site's."""
    allowed = [PublicKeyCredentialDescriptor(id=one) for one in known]
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=_TIMEOUT_MS,
        allow_credentials=allowed,
        user_verification=(
            UserVerificationRequirement.PREFERRED
            if allowed
            else UserVerificationRequirement.REQUIRED
        ),
    )
    return _plain(options_to_json(options))


def credential_id_of(answer: Any) -> bytes:
    """Which key a browser answered with; raises PasskeyInvalid."""
    try:
        found = base64url_to_bytes(answer["id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PasskeyInvalid("malformed") from error
    if not 0 < len(found) <= CREDENTIAL_ID_MAX:
        raise PasskeyInvalid("malformed")
    return found


def read_new(site: Site, answer: Any, *, challenge: bytes) -> NewPasskey:
    """The key of a registration that answers the challenge."""
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=list(site.origins),
        )
    except _REFUSALS as error:
        raise PasskeyInvalid(type(error).__name__) from error
    return NewPasskey(
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        backed_up=found.credential_backed_up,
    )


def prove(
    site: Site,
    answer: Any,
    *,
    challenge: bytes,
    public_key: bytes,
    sign_count: int,
    verified: bool,
) -> int:
    """The new count of a signature that answers the challenge.

    `verified`: the person must have shown a finger, a face or a PIN, since the
    key stands alone. A count that went back means a copied key.
    """
    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=list(site.origins),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=verified,
        )
    except _REFUSALS as error:
        raise PasskeyInvalid(type(error).__name__) from error
    return found.new_sign_count


# The library meets hostile bytes: what its parsers raise is a refusal as well.
_REFUSALS = (WebAuthnException, KeyError, TypeError, ValueError, AttributeError,
             IndexError)  # fmt: skip


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
