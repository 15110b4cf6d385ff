"""Texts that billing sends. The words are templates, translated like pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string

from apps.identity import selectors as identity
from apps.ops import operations as ops


def write_to(
    customer_id: int,
    *,
    letter: str,
    facts: Mapping[str, object],
    unique_key: str,
    now: datetime,
) -> bool:
    """Queue a letter to the customer and to the contacts who get bills.

    The first line of its text is the subject. False where nobody has an e-mail
    address. A repeat with the same key sends nothing.
    """
    customer = identity.customer_snapshot(customer_id)
    addresses = identity.bill_addresses(customer_id)
    context = {
        **facts,
        "customer": customer,
        "operator": settings.OPERATOR_NAME,
        "phone": settings.OPERATOR_PHONE,
        "portal_url": f"{settings.BASE_URL}/portal/bills",
    }
    text = render_to_string(f"billing/letters/{letter}.txt", context).strip()
    subject, _, body = text.partition("\n")
    for key, address in addresses.items():
        ops.send_message(
            to=address,
            subject=subject.strip(),
            body=body.strip() + "\n",
            purpose=f"billing.{letter}",
            unique_key=f"{unique_key}:{key}" if key else unique_key,
            customer_id=customer_id,
            now=now,
        )
    return bool(addresses)
