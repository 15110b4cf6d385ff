"""Customers as others need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from apps.identity.models import Customer, Membership
from apps.identity.rules.contacts import search_words
from dotmac.core.actors import Actor

RowsT = TypeVar("RowsT", bound=QuerySet[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSnapshot:
    """The customer as a document keeps it."""

    id: int
    reference: str
    name: str
    address_lines: tuple[str, ...]
    tax_number: str
    email: str
    phone: str
    currency: str


def customers_visible_to(actor: Actor, permission: str) -> QuerySet[Customer]:
    """The customers that the permission reaches; others filter by `.values("pk")`."""
    return Customer.objects.visible_to(actor, permission)


def of_visible_customers(rows: RowsT, actor: Actor, permission: str) -> RowsT:
    """Rows with a `customer` whose customer the permission reaches.

    The one place where the apps above turn a scope into a filter.
    """
    scope = actor.scope(permission)
    if scope.everything:
        return rows
    if not scope:
        return rows.none()
    customers = customers_visible_to(actor, permission)
    return rows.filter(customer_id__in=customers.values("pk"))


def found_by(text: str) -> Q:
    """Customers whose reference, name, e-mail or telephone holds every word."""
    condition = Q()
    for word in search_words(text):
        condition &= Q(search_text__contains=word)
    return condition


def find_customer(
    *, reference: str | None = None, id: int | None = None  # noqa: A002
) -> Customer | None:
    """The customer with this reference or id, or None."""
    if reference is not None:
        return Customer.objects.filter(reference=reference.strip().upper()).first()
    return Customer.objects.filter(pk=id).first() if id is not None else None


def customer_of(customer_id: int) -> Customer:
    """The customer of a key that some row holds."""
    return Customer.objects.get(pk=customer_id)


def locked_customer(customer_id: int) -> Customer | None:
    """The customer, held until commit, or None: an app above builds on its state.

    The customer is the first lock to take; see docs/locking.md.
    """
    return Customer.objects.locked().filter(pk=customer_id).first()


def unit_id_of(customer_id: int) -> int | None:
    """For scope columns of rows that carry a customer's id."""
    units = Customer.objects.filter(pk=customer_id).values_list("unit_id", flat=True)
    return units.first()


def customer_snapshot(customer_id: int) -> CustomerSnapshot:
    """What an invoice prints about its buyer."""
    return _snapshot(customer_of(customer_id))


def snapshots_of(customer_ids: Iterable[int]) -> dict[int, CustomerSnapshot]:
    """The same for many customers in one statement."""
    rows = Customer.objects.filter(pk__in=list(customer_ids))
    return {row.pk: _snapshot(row) for row in rows}


def _snapshot(customer: Customer) -> CustomerSnapshot:
    town = " ".join(part for part in (customer.postal_code, customer.city) if part)
    lines = (customer.address, town, customer.region, customer.country)
    return CustomerSnapshot(
        id=customer.pk,
        reference=customer.reference,
        name=customer.name,
        address_lines=tuple(line for line in lines if line),
        tax_number=customer.tax_number,
        email=customer.email,
        phone=customer.phone,
        currency=customer.currency,
    )


def memberships_of(customer_id: int) -> QuerySet[Membership]:
    """Who may act for the customer in the portal."""
    rows = Membership.objects.filter(customer_id=customer_id)
    return rows.select_related("user").order_by("pk")
