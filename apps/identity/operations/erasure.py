"""Forgetting a person: what no law keeps becomes anonymous, for good.

NDPA 2023 (Nigeria) section 34 and GDPR article 17. Invoices, payments and the
ledger stay for the tax office, the audit for whoever has to answer for it; see
docs/privacy.md for what stays and why.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from apps.identity import events
from apps.identity.enums import CustomerState, Serviceability
from apps.identity.errors import (
    ConfirmationDiffers,
    CustomerCannotBeErased,
    CustomerMerged,
    MergedMeanwhile,
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
    OneTimeLink,
    PortalLook,
    ResetRequest,
    ServiceLocation,
    User,
)
from apps.identity.operations.customers import locked_or_missing
from apps.identity.operations.files import forget_copies_of, forget_papers_of
from apps.identity.operations.guessing import forget_guesses
from apps.identity.operations.lifecycle import close_customer
from apps.identity.operations.members import forget_idle_users
from apps.identity.selectors.personal import only_users_of, same_person
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound
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
    while a service runs, money is owed or held, or a payment is on its way, and
    when it was merged or taken apart in this moment. It cannot be undone; repeating
    it changes nothing.
    """
    people = _held_person(customer_id)
    customer = next(row for row in people if row.pk == customer_id)
    if customer.erased_at is not None:
        return customer
    if customer.merged_into_id is not None:
        raise CustomerMerged
    if confirm.strip().upper() != customer.reference:
        raise ConfirmationDiffers(field="confirm")
    objections = [sentence for person in people for sentence in _objections(person.pk)]
    if objections:
        raise CustomerCannotBeErased(" ".join(objections), objections=objections)

    for person in people:
        _erase(person, actor=actor, now=now)
    customer.refresh_from_db()
    return customer


def _held_person(customer_id: int) -> list[Customer]:
    """The customer and its merged duplicates, held in the order of their keys.

    Whoever merges them, or takes them apart, holds two of them in that order too.
    Which they are is asked again under the locks: where a merge or its undoing came
    between, whoever decided has to look again.
    """
    keys = {row.pk for row in same_person(customer_id)}
    held = list(Customer.objects.locked().filter(pk__in=keys))
    if not held:
        raise NotFound
    if {row.pk for row in same_person(customer_id)} != keys:
        raise MergedMeanwhile
    return held


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
    people = list(User.objects.filter(pk__in=_members(customer_id)))
    leaving = set(only_users_of(customer_id).values_list("pk", flat=True))
    names = {user.username for user in people if user.pk in leaving}
    addresses = _addresses(customer, leaving)
    _forget_words(addresses | names, customer_id, now)

    forget_papers_of(customer_id)
    forget_copies_of(customer_id, actor, now)
    for model in (Contact, CustomerNote, CustomerChange, CustomerTag, Membership):
        model.objects.filter(customer_id=customer_id).delete()
    forget_idle_users([user.pk for user in people])
    CustomerTurn.objects.filter(customer_id=customer_id).update(reason="")
    # Also those that were undone: either side may be the one that is erased.
    merges = CustomerMerge.objects.filter(
        Q(survivor_id=customer_id) | Q(duplicate_id=customer_id)
    )
    merges.exclude(reason="").update(reason="")
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


def _members(customer_id: int) -> QuerySet[Membership, int]:
    rows = Membership.objects.filter(customer_id=customer_id)
    return rows.values_list("user_id", flat=True)


def _addresses(customer: Customer, leaving: set[int]) -> set[str]:
    """Every address that the customer or one of its people had, also earlier."""
    mine = {"customer_id": customer.pk}
    earlier = CustomerChange.objects.filter(**mine, field="email")
    links = OneTimeLink.objects.filter(user__in=leaving)
    found = {
        customer.email,
        *User.objects.filter(pk__in=leaving).values_list("email", flat=True),
        *Contact.objects.filter(**mine).values_list("email", flat=True),
        *links.values_list("email", flat=True),
        *(
            address
            for pair in earlier.values_list("before", "after")
            for address in pair
        ),
    }
    return {address.lower() for address in found if address}


def _forget_words(words: set[str], customer_id: int, now: datetime) -> None:
    """Mails to these addresses that name no customer, and what was typed to sign in.

    What belongs to somebody who stays, a colleague or a portal user who acts for
    others, is left to that one.
    """
    staying = User.objects.exclude(pk__in=only_users_of(customer_id).values("pk"))
    lowered = staying.annotate(address=Lower("email")).filter(address__in=words)
    mine = sorted(words - set(lowered.values_list("address", flat=True)))
    ops.forget_messages(recipients=mine, now=now)
    ResetRequest.objects.filter(name__in=mine).delete()
    forget_guesses(mine)


def _empty(customer: Customer, now: datetime) -> None:
    texts = ("email", "phone", "address", "city", "region", "postal_code")
    more = ("country", "tax_number", "source")
    for field in (*texts, *more):
        setattr(customer, field, "")
    customer.name, customer.custom, customer.owner = ERASED, {}, None
    customer.duplicate_confirmed, customer.erased_at = False, now
    fields = ("name", "custom", "owner", "duplicate_confirmed", "erased_at")
    customer.store(*texts, *more, *fields, now=now)
