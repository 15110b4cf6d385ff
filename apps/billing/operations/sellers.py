"""The operator as documents show it, kept word for word."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings

from apps.billing.models import SellerProfile


def current_seller_id() -> int:
    """The row that holds the operator's details of today, made when they changed."""
    details = seller_details()
    text = json.dumps(details, sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    row, _ = SellerProfile.objects.get_or_create(
        fingerprint=fingerprint, defaults={"details": details}
    )
    return row.pk


def seller_details() -> dict[str, Any]:
    """From the settings OPERATOR_*; lines are separated by new lines or `|`."""
    return {
        "name": settings.OPERATOR_NAME,
        "address_lines": _lines(settings.OPERATOR_ADDRESS),
        "tax_number": settings.OPERATOR_TAX_NUMBER,
        "phone": settings.OPERATOR_PHONE,
        "email": settings.DEFAULT_FROM_EMAIL,
        "bank_lines": _lines(settings.OPERATOR_BANK_DETAILS),
        "portal": f"{settings.BASE_URL}/portal/",
    }


def _lines(text: str) -> list[str]:
    parts = text.replace("\\n", "\n").replace("|", "\n").splitlines()
    return [part.strip() for part in parts if part.strip()]
