"""Customers with services on a price list: what bill runs find.

Rows of the lower apps are written as their operations leave them; bills,
postings and payments are always made by billing's own operations.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from apps.billing import operations
from apps.catalog.models import Plan, PlanPrice, Service
from apps.identity.models import Customer, OrganisationUnit
from apps.network.models import AccessAccount, RateProfile
from dotmac.core.actors import system_actor
from dotmac.core.db import next_ids
from dotmac.core.models import seal_into

__all__ = [
    "ACTOR",
    "account",
    "bill",
    "customer",
    "noon",
    "operations",
    "plan",
    "profile",
    "service",
    "unit",
    "vat",
]

ACTOR = system_actor("test")
_number = count(1)


def noon(day: date) -> datetime:
    """An instant whose civil date at the operator's is the day."""
    return datetime(day.year, day.month, day.day, 11, tzinfo=UTC)


def unit() -> OrganisationUnit:
    row = OrganisationUnit.objects.filter(kind="operator").first()
    return row or OrganisationUnit.objects.create(name="Operator", kind="operator")


def customer(name: str = "Chidi", currency: str = "NGN", **fields: Any) -> Customer:
    number = next(_number)
    return Customer.objects.create(
        **{
            "reference": f"C-9{number:06d}",
            "kind": "individual",
            "name": name,
            "email": f"c{number}@example.net",
            "state": "active",
            "unit": unit(),
            "currency": currency,
            "address": "27 Awolowo Road",
            "city": "Lagos",
            "country": "NG",
            **fields,
        }
    )


def profile() -> RateProfile:
    row, _ = RateProfile.objects.get_or_create(
        name="20M", defaults={"down_kbps": 20_000, "up_kbps": 10_000}
    )
    return row


def plan(
    price: str | None = "12500",
    *,
    name: str = "Home 20",
    currency: str = "NGN",
    tax_class: str = "standard",
    valid_from: date = date(2020, 1, 1),
    billing: str = "postpaid",
) -> Plan:
    number = next(_number)
    row = Plan.objects.create(
        slug=f"plan-{number}",
        name=name,
        profile=profile(),
        tax_class=tax_class,
        billing=billing,
    )
    if price is not None:
        PlanPrice.objects.create(
            plan=row, currency=currency, amount=Decimal(price), valid_from=valid_from
        )
    return row


def account() -> AccessAccount:
    row = AccessAccount(
        id=next_ids(AccessAccount)[0], login=f"u{next(_number)}", profile=profile()
    )
    seal_into(row, "secret", "secret")
    row.save(force_insert=True)
    return row


def service(
    owner: Customer, on: Plan, *, start: date, end: date | None = None
) -> Service:
    """A service held from start up to, not including, end."""
    row = Service.objects.create(
        reference=f"S-9{next(_number):06d}",
        customer=owner,
        plan=on,
        access=account(),
        state="active",
        activated_at=noon(start),
        active_from_date=start,
    )
    if end is not None:
        row.state, row.terminated_at, row.ends_date = "terminated", noon(end), end
        row.save()
    return row


def vat(percent: str = "7.5", slug: str = "standard", label: str = "VAT") -> None:
    operations.set_tax_rate(
        slug=slug,
        name=label,
        label=label,
        percent=Decimal(percent),
        valid_from=date(2020, 1, 1),
        actor=ACTOR,
        now=noon(date(2020, 1, 1)),
    )


def bill(day: date, **options: Any):
    return operations.run_billing(day=day, actor=ACTOR, now=noon(day), **options)
