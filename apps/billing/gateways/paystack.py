"""Paystack's published protocol: initialise, verify, signed webhooks.

Amounts travel in minor units (kobo). Bearer secret key. A webhook is signed
with HMAC-SHA512 of the raw body under the same secret key. A time-out is never
an answer: `OutsideUnreachable` says that we do not know.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from apps.billing.gateways.answers import (
    Charge,
    ChargeState,
    GatewayNotConfigured,
    GatewayNotice,
    GatewayRefused,
    HostedPage,
    NoticeRefused,
)
from dotmac.core.http import OutsideUnreachable, call, outside

PROVIDER = "paystack"
SIGNATURE_HEADER = "x-paystack-signature"
NOTICE_BYTES_MAX = 64 * 1024
MESSAGE_MAX = 200
REFERENCE_MAX = 64

# Paystack: a charge that is abandoned (nobody finished the page) may still be
# paid through the same page, so only these two are decisions.
_STATES = {
    "success": ChargeState.SUCCEEDED,
    "failed": ChargeState.FAILED,
    "reversed": ChargeState.FAILED,
}


def open_page(
    *, email: str, amount_minor: int, currency: str, reference: str, return_url: str
) -> HostedPage:
    """Ask for a hosted page (POST /transaction/initialize).

    Raises GatewayRefused when Paystack says no and OutsideUnreachable when it
    does not say anything.
    """
    answer = _ask(
        "POST",
        "/transaction/initialize",
        json={
            "email": email,
            "amount": str(amount_minor),
            "currency": currency,
            "reference": reference,
            "callback_url": return_url,
            "metadata": {"cancel_action": return_url, "dotmac_reference": reference},
        },
    )
    data = answer.get("data") or {}
    url = str(data.get("authorization_url", ""))
    if str(data.get("reference")) != reference or not _is_web(url):
        raise OutsideUnreachable("Paystack answered without a page for this payment.")
    return HostedPage(reference=reference, url=url)


def find_charge(reference: str) -> Charge:
    """What became of a charge (GET /transaction/verify/:reference)."""
    path = f"/transaction/verify/{quote(reference, safe='')}"
    try:
        answer = _ask("GET", path)
    except GatewayRefused as refusal:
        return Charge(
            reference=reference,
            state=ChargeState.UNDECIDED,
            provider_status="unknown",
            message=str(refusal),
        )
    charge = _charge_of(answer.get("data"))
    if charge is None or charge.reference != reference:
        raise OutsideUnreachable("Paystack answered about something else.")
    return charge


def read_notice(body: bytes, signature: str) -> GatewayNotice:
    """The content of a webhook whose signature is right.

    Raises NoticeRefused for a wrong signature, an oversized or a malformed
    body; the signature is compared over the raw bytes, in constant time.
    """
    if len(body) > NOTICE_BYTES_MAX:
        raise NoticeRefused("The message is too large.")
    if not hmac.compare_digest(sign(body).encode(), signature.strip().lower().encode()):
        raise NoticeRefused("The signature does not fit.")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoticeRefused("The message is no JSON.") from error
    if not isinstance(message, dict) or not isinstance(message.get("data"), dict):
        raise NoticeRefused("The message has another shape.")

    kind, data = str(message.get("event", ""))[:64], message["data"]
    charge = _charge_of(data) if kind.startswith("charge.") else None
    identity = data.get("id") or hashlib.sha256(body).hexdigest()
    return GatewayNotice(event_id=f"{kind}:{identity}"[:128], kind=kind, charge=charge)


def sign(body: bytes) -> str:
    """The hex signature that Paystack puts beside this body."""
    return hmac.new(_secret_key().encode(), body, hashlib.sha512).hexdigest()


def _charge_of(data: Any) -> Charge | None:
    """None when the data is not a charge that we can read."""
    try:
        status = str(data["status"])
        return Charge(
            reference=str(data["reference"])[:REFERENCE_MAX],
            state=_STATES.get(status, ChargeState.UNDECIDED),
            provider_status=status[:32],
            amount_minor=_whole(data["amount"]),
            currency=str(data.get("currency", ""))[:3],
            fee_minor=_whole(data.get("fees") or 0),
            paid_at=_instant(data.get("paid_at") or data.get("paidAt")),
            channel=str(data.get("channel") or "")[:32],
            message=str(data.get("gateway_response") or "")[:MESSAGE_MAX],
        )
    except (KeyError, TypeError, ValueError):
        return None


def _whole(value: Any) -> int:
    """Minor units; a float or a truth value is no amount."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError("An amount is a whole number.")
    return int(value)


def _instant(value: Any) -> datetime | None:
    if not value:
        return None
    instant = datetime.fromisoformat(str(value))
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _ask(method: str, path: str, **kwargs: Any) -> dict[str, Any]:
    key = _secret_key()
    with outside(settings.PAYSTACK_BASE_URL, Authorization=f"Bearer {key}") as client:
        response = call(
            client, method, path, timeout=settings.PAYSTACK_TIMEOUT_S, **kwargs
        )
    try:
        answer = response.json()
    except ValueError as error:
        raise OutsideUnreachable(
            f"Paystack answered {response.status_code}."
        ) from error
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(
        answer, dict
    ):
        raise OutsideUnreachable(f"Paystack answered {response.status_code}.")
    if (
        response.status_code >= HTTPStatus.BAD_REQUEST
        or answer.get("status") is not True
    ):
        message = str(answer.get("message", ""))[:MESSAGE_MAX]
        raise GatewayRefused(message or f"Paystack answered {response.status_code}.")
    return answer


def _secret_key() -> str:
    path = settings.PAYSTACK_SECRET_KEY_PATH
    try:
        mode, key = path.stat().st_mode, path.read_text().strip()
    except (AttributeError, OSError) as error:
        raise GatewayNotConfigured("There is no Paystack secret key.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO) or not key:
        raise GatewayNotConfigured("The Paystack key file is empty or open to others.")
    return key


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"https", "http"} and bool(parts.netloc)
