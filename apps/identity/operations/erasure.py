"""Forgetting a person: what no law keeps becomes anonymous, for good.

NDPA 2023 (Nigeria) section 34 and GDPR article 17. Invoices, payments and the
ledger stay for the tax office, the audit for whoever has to answer for it; see
docs/privacy.md for what stays and why.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity import events
from apps.identity.enums import CustomerState, Serviceability
from apps.identity.errors import (
    ConfirmationDiffers,
    CustomerCannotBeErased,
    CustomerMerged,
)
from apps.identity.models import (
    Contact,
    Customer,
    CustomerChange,
    CustomerMerge,
    CustomerNote,
    CustomerTag,
    CustomerTurn,
    Membership,
    PersonalExport,
    PortalLook,
    ServiceLocation,
)
from apps.identity.operations.customers import locked_or_missing
from apps.identity.operations.files import forget_files, forget_papers_of
from apps.identity.operations.lifecycle import close_customer
from apps.identity.selectors.personal import only_users_of, same_person
from apps.ops import operations as ops
from apps.ops.enums import JobState
from dotmac.core.actors import Actor
from dotmac.core.participants import keepers_of

ERASED = "Erased"
_NOTHING = "\u2013"
_KIND = "identity.customer"


@transaction.atomic
def erase_customer(
    *, customer_id: int, confirm: str, actor: Actor, now: datetime
) -> Customer:
    """Make everything about a customer anonymous that no law makes us keep.

    The customer is closed by it, and every duplicate that was merged into it goes
    the same way. `confirm` is its reference, typed by whoever decides. Refused
    while a service runs, money is owed or held, or a payment is on its way. It
    cannot be undone; repeating it changes nothing.
    """
    customer = locked_or_missing(customer_id)
    if customer.erased_at is not None:
        return customer
    if customer.merged_into_id is not None:
        raise CustomerMerged
    if confirm.strip().upper() != customer.reference:
        raise ConfirmationDiffers(field="confirm")
    people = same_person(customer_id)
    objections = [sentence for person in people for sentence in _objections(person.pk)]
    if objections:
        raise CustomerCannotBeErased(" ".join(objections), objections=objections)

    for person in people:
        _erase(person, actor=actor, now=now)
    customer.refresh_from_db()
    return customer


def _objections(customer_id: int) -> list[str]:
    return [
        sentence
        for _app, keeper in keepers_of(_KIND)
        if keeper.objections is not None
        for sentence in keeper.objections(customer_id)
    ]


def _erase(person: Customer, *, actor: Actor, now: datetime) -> None:
    if person.state != CustomerState.CLOSED:
        close_customer(customer_id=person.pk, actor=actor, now=now)
    for _app, keeper in keepers_of(_KIND):
        keeper.erase(person.pk, actor, now)
    event = events.CustomerErased(
        occurred_at=now, of_customer_id=person.pk, reference=person.reference
    )
    ops.emit(event, actor=actor)


def erase_identity(customer_id: int, actor: Actor, now: datetime) -> None:
    """identity's own part: the customer's row and all that hangs on it."""
    customer = locked_or_missing(customer_id)
    users = only_users_of(customer_id)
    addresses = {customer.email, *users.values_list("email", flat=True)}
    contacts = Contact.objects.filter(customer_id=customer_id)
    addresses |= set(contacts.values_list("email", flat=True))
    ops.forget_messages(recipients=sorted(addresses - {""}), now=now)

    users.delete()
    forget_papers_of(customer_id)
    _forget_copies(customer_id, actor, now)
    for model in (Contact, CustomerNote, CustomerChange, CustomerTag, Membership):
        model.objects.filter(customer_id=customer_id).delete()
    CustomerTurn.objects.filter(customer_id=customer_id).update(reason="")
    CustomerMerge.objects.filter(survivor_id=customer_id).update(reason="")
    PortalLook.objects.filter(customer_id=customer_id).update(reason=_NOTHING)
    # A place stays as long as the history of a service names it.
    ServiceLocation.objects.filter(customer_id=customer_id).update(
        label=ERASED,
        address="",
        city="",
        latitude=None,
        longitude=None,
        serviceability=Serviceability.UNKNOWN,
        serviceability_note="",
        checked_at=None,
        checked_by="",
    )
    _empty(customer, now)


def _empty(customer: Customer, now: datetime) -> None:
    texts = ("email", "phone", "address", "city", "region", "postal_code")
    more = ("country", "tax_number", "source")
    for field in (*texts, *more):
        setattr(customer, field, "")
    customer.name, customer.custom, customer.owner = ERASED, {}, None
    customer.duplicate_confirmed, customer.erased_at = False, now
    fields = ("name", "custom", "owner", "duplicate_confirmed", "erased_at")
    customer.store(*texts, *more, *fields, now=now)


def _forget_copies(customer_id: int, actor: Actor, now: datetime) -> None:
    """Copies that wait are not made any more; those that were made go."""
    mine = PersonalExport.objects.filter(customer_id=customer_id)
    waiting = mine.filter(done_at=None)
    going_on = waiting.filter(job__state__in=(JobState.QUEUED, JobState.RUNNING))
    for job_id in going_on.values_list("job_id", flat=True):
        ops.cancel_job(job_id=job_id, actor=actor, now=now)
    waiting.update(done_at=now)
    made = mine.filter(file__isnull=False).values_list("file_id", flat=True)
    forget_files(list(made))
