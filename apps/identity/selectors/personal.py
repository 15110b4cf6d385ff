"""What identity holds about a customer, and the copies that were made of it all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, QuerySet

from apps.identity.models import (
    Contact,
    Customer,
    CustomerChange,
    CustomerDocument,
    CustomerNote,
    CustomerTag,
    CustomerTurn,
    Membership,
    NoteRevision,
    PersonalExport,
    PortalLook,
    ServiceLocation,
    Session,
    User,
)
from apps.identity.selectors.customers import of_visible_customers
from dotmac.core.actors import Actor
from dotmac.core.personal import Held, rows_of


def same_person(customer_id: int) -> list[Customer]:
    """The customer, and the duplicates that were merged into it, by their keys."""
    return list(Customer.objects.same_as(customer_id).order_by("pk"))


def exports_of(customer_id: int) -> QuerySet[PersonalExport]:
    """The copies of one customer's data, the newest first."""
    rows = PersonalExport.objects.filter(customer_id=customer_id)
    return rows.select_related("job", "file").order_by("-pk")


def exports_visible_to(actor: Actor, permission: str) -> QuerySet[PersonalExport]:
    rows = PersonalExport.objects.select_related("customer", "job", "file")
    return of_visible_customers(rows, actor, permission)


def held_of(customer_id: int) -> Iterable[Held]:
    """Every row of identity about the customer; names of staff stay out of it."""
    yield Held("identity.customer", rows_of(
        Customer.objects.filter(pk=customer_id), "reference", "kind", "name", "email",
        "phone", "state", "currency", "address", "city", "region", "postal_code",
        "country", "tax_number", "source", "custom", "created_at", "activated_at",
        "closed_at",
    ))  # fmt: skip
    yield Held("identity.contacts", rows_of(
        _of(Contact, customer_id), "name", "role", "email", "phone", "is_primary",
        "gets_bills", "gets_outages", "created_at",
    ))  # fmt: skip
    yield Held("identity.locations", rows_of(
        _of(ServiceLocation, customer_id), "label", "address", "city", "latitude",
        "longitude", "serviceability", "serviceability_note", "checked_at",
    ))  # fmt: skip
    yield Held("identity.notes", rows_of(_of(CustomerNote, customer_id), "at", "text"))
    yield Held("identity.earlier_notes", rows_of(
        NoteRevision.objects.filter(note__customer_id=customer_id), "note_id", "at",
        "text",
    ))  # fmt: skip
    yield Held("identity.changes", rows_of(
        _of(CustomerChange, customer_id), "at", "field", "before", "after",
    ))  # fmt: skip
    yield Held("identity.turns", rows_of(
        _of(CustomerTurn, customer_id), "at", "from_state", "to_state", "reason",
    ))  # fmt: skip
    yield Held(
        "identity.tags", rows_of(_of(CustomerTag, customer_id), name=F("tag__name"))
    )
    yield Held("identity.documents", rows_of(
        _of(CustomerDocument, customer_id), "at", "kind", name=F("file__name"),
        media_type=F("file__media_type"), size_bytes=F("file__size_bytes"),
    ))  # fmt: skip
    yield Held("identity.portal_users", rows_of(
        _of(Membership, customer_id), "rights", "created_at",
        username=F("user__username"), name=F("user__name"), email=F("user__email"),
    ))  # fmt: skip
    yield Held("identity.sign_ins", rows_of(
        Session.objects.filter(user__in=only_users_of(customer_id)), "face", "address",
        "device", "started_at", "seen_at", "ended_at", username=F("user__username"),
    ))  # fmt: skip
    yield Held("identity.looks_by_staff", rows_of(
        _of(PortalLook, customer_id), "reason", "started_at", "ended_at",
    ))  # fmt: skip


def only_users_of(customer_id: int) -> QuerySet[User]:
    """Portal users who act for this customer and for nobody else."""
    members = Membership.objects.filter(customer_id=customer_id).values("user_id")
    elsewhere = Membership.objects.exclude(customer_id=customer_id).values("user_id")
    return User.objects.filter(pk__in=members).exclude(pk__in=elsewhere)


def _of(model: Any, customer_id: int) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(customer_id=customer_id)
    return rows
