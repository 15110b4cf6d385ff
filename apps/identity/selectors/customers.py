"""Customers as others need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Q, QuerySet

from apps.identity.enums import MemberRights
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
    row = Customer.objects.values_list(*_SNAPSHOT_COLUMNS).get(pk=customer_id)
    return _snapshot(row)


def snapshots_of(customer_ids: Iterable[int]) -> dict[int, CustomerSnapshot]:
    """The same for many customers in one statement."""
    # Not by the ORM: a bill run asks for a thousand at once, and would spend more on
    # model instances and on a parameter for each key than on rating the bills.
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(_SNAPSHOT_COLUMNS)}"  # noqa: S608  # nosec B608
            " FROM identity_customer WHERE id = ANY(%s)",
            [list(customer_ids)],
        )
        return {row[0]: _snapshot(row) for row in cursor.fetchall()}


_SNAPSHOT_COLUMNS = (
    "id", "reference", "name", "address", "postal_code", "city", "region", "country",
    "tax_number", "email", "phone", "currency",
)  # fmt: skip


def _snapshot(row: tuple[Any, ...]) -> CustomerSnapshot:
    """From the columns of _SNAPSHOT_COLUMNS."""
    key, reference, name, address, postal_code, city, region, country = row[:8]
    tax_number, email, phone, currency = row[8:]
    town = f"{postal_code} {city}" if postal_code and city else postal_code or city
    return CustomerSnapshot(
        id=key,
        reference=reference,
        name=name,
        address_lines=tuple(filter(None, (address, town, region, country))),
        tax_number=tax_number,
        email=email,
        phone=phone,
        currency=currency,
    )


def memberships_of(customer_id: int) -> QuerySet[Membership]:
    """Who may act for the customer in the portal."""
    rows = Membership.objects.filter(customer_id=customer_id)
    return rows.select_related("user").order_by("pk")


def is_full_member(user_id: int, customer_id: int) -> bool:
    """Whether the person holds all rights on the account, people included."""
    rows = Membership.objects.filter(user_id=user_id, customer_id=customer_id)
    return rows.filter(rights=MemberRights.FULL).exists()


def only_customer_of(user_id: int) -> int | None:
    """For whom somebody acts, where that is exactly one: mails are about that one."""
    rows = Membership.objects.filter(user_id=user_id)
    found = rows.values_list("customer_id", flat=True)[:2]
    return found[0] if len(found) == 1 else None
