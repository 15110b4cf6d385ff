"""Contacts and locations, of one customer and of all."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.identity.models import Contact, Customer, CustomerNote, ServiceLocation
from apps.identity.selectors.customers import of_visible_customers
from dotmac.core.actors import Actor


def locations_of(customer_id: int) -> QuerySet[ServiceLocation]:
    return ServiceLocation.objects.filter(customer_id=customer_id).order_by("pk")


def contacts_of(customer_id: int) -> QuerySet[Contact]:
    """The primary contact first."""
    rows = Contact.objects.filter(customer_id=customer_id)
    return rows.order_by("-is_primary", "pk")


def locations_visible_to(actor: Actor, permission: str) -> QuerySet[ServiceLocation]:
    rows = ServiceLocation.objects.select_related("customer")
    return of_visible_customers(rows, actor, permission)


def contacts_visible_to(actor: Actor, permission: str) -> QuerySet[Contact]:
    rows = Contact.objects.select_related("customer")
    return of_visible_customers(rows, actor, permission)


def notes_visible_to(actor: Actor, permission: str) -> QuerySet[CustomerNote]:
    rows = CustomerNote.objects.select_related("customer")
    return of_visible_customers(rows, actor, permission)


def pinned_notes_of(customer_id: int) -> QuerySet[CustomerNote]:
    rows = CustomerNote.objects.filter(customer_id=customer_id, pinned=True)
    return rows.order_by("-at", "-pk")


def bill_addresses(customer_id: int) -> dict[str, str]:
    """Where bills and what belongs to them are sent: address by a stable key.

    The customer's own address has the empty key; each contact who gets bills
    adds one. An address is written to once.
    """
    own = Customer.objects.values_list("email", flat=True).get(pk=customer_id)
    found = {"": own} if own else {}
    seen = {own.lower()}
    rows = Contact.objects.filter(customer_id=customer_id, gets_bills=True)
    for pk, email in rows.order_by("pk").values_list("pk", "email"):
        if email.lower() not in seen:
            seen.add(email.lower())
            found[f"contact-{pk}"] = email
    return found
