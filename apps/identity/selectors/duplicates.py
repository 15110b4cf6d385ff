"""Who may be the same customer, and which were found to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from apps.identity.models import Customer, CustomerMerge
from dotmac.core.actors import Actor

SUGGESTIONS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A customer that may be the same, and what both have: email, phone, name."""

    customer: Customer
    same: Sequence[str]


def suggestions_for(
    customer: Customer, actor: Actor, permission: str
) -> list[Suggestion]:
    """Open customers within reach with the same address, number or name.

    Whoever was confirmed to be another customer is not suggested again.
    """
    if customer.duplicate_confirmed:
        return []
    alike = Q(name__iexact=customer.name)
    if customer.email:
        alike |= Q(email__iexact=customer.email)
    if customer.phone:
        alike |= Q(phone=customer.phone)
    reach = Customer.objects.visible_to(actor, permission).open()
    rows = reach.filter(alike, duplicate_confirmed=False).exclude(pk=customer.pk)
    return [
        Suggestion(customer=row, same=_same(row, customer))
        for row in rows.order_by("pk")[:SUGGESTIONS_MAX]
    ]


def customers_with_twins(actor: Actor, permission: str) -> QuerySet[Customer]:
    """Open customers within reach of which another one there may be the same.

    Asked by index for each row that is looked at: page through it, do not count.
    """
    others = (
        Customer.objects.visible_to(actor, permission)
        .open()
        .filter(duplicate_confirmed=False)
        .exclude(pk=OuterRef("pk"))
        .annotate(low_email=Lower("email"), low_name=Lower("name"))
    )
    by_email = others.filter(low_email=Lower(OuterRef("email"))).exclude(email="")
    by_phone = others.filter(phone=OuterRef("phone")).exclude(phone="")
    by_name = others.filter(low_name=Lower(OuterRef("name")))
    rows = Customer.objects.visible_to(actor, permission).open()
    return rows.filter(duplicate_confirmed=False).filter(
        Exists(by_email) | Exists(by_phone) | Exists(by_name)
    )


def merges_of(customer_id: int) -> QuerySet[CustomerMerge]:
    """Merges on either side, the newest first."""
    rows = CustomerMerge.objects.filter(
        Q(survivor_id=customer_id) | Q(duplicate_id=customer_id)
    )
    return rows.select_related("survivor", "duplicate").order_by("-pk")


def merges_visible_to(actor: Actor, permission: str) -> QuerySet[CustomerMerge]:
    """Merges of which both customers are within reach."""
    reach = Customer.objects.visible_to(actor, permission).values("pk")
    rows = CustomerMerge.objects.select_related("survivor", "duplicate")
    return rows.filter(survivor_id__in=reach, duplicate_id__in=reach)


def _same(row: Customer, customer: Customer) -> list[str]:
    pairs = (
        ("email", row.email.lower(), customer.email.lower()),
        ("phone", row.phone, customer.phone),
        ("name", row.name.lower(), customer.name.lower()),
    )
    return [name for name, mine, theirs in pairs if mine and mine == theirs]
