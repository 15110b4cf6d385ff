"""The life of a customer: lead, prospect, active, closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ProtectedError

from apps.identity import events
from apps.identity.enums import CustomerKind, CustomerState
from apps.identity.errors import (
    CustomerClosed,
    CustomerHasHistory,
    CustomerStillServed,
    MalformedEmail,
    MalformedPhone,
    PossibleDuplicate,
    UnknownField,
    UnknownUnit,
    Unreachable,
)
from apps.identity.models import Customer, Membership, OrganisationUnit, User
from apps.identity.rules.contacts import customer_reference, e164, plain_email
from apps.identity.selectors.staff import default_unit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids
from dotmac.core.errors import InvalidInput, NotFound, PreconditionFailed
from dotmac.core.participants import objections_to_close, objections_to_delete
from dotmac.core.refs import SubjectRef

_CHARACTERS_MAX = {
    "name": 200,
    "address": 300,
    "city": 120,
    "region": 120,
    "postal_code": 20,
    "country": 2,
    "tax_number": 40,
}
CHANGEABLE = frozenset({"kind", "email", "phone", "unit_id", *_CHARACTERS_MAX})


@transaction.atomic
def register_customer(
    *,
    kind: str,
    name: str,
    email: str = "",
    phone: str = "",
    unit_id: int | None = None,
    state: str = CustomerState.PROSPECT,
    currency: str = "",
    confirm_duplicate: bool = False,
    actor: Actor,
    now: datetime,
    **place: str,
) -> Customer:
    """A new lead or prospect; `place` holds address, city and so on.

    Refused: malformed values, and with `possible_duplicate` an e-mail address
    or telephone number of another open customer, unless it is confirmed.
    """
    if state not in {CustomerState.LEAD, CustomerState.PROSPECT}:
        raise InvalidInput("A customer begins as a lead or a prospect.", field="state")
    values = {"kind": kind, "name": name, "email": email, "phone": phone, **place}
    clean = _cleaned({**values, "unit_id": unit_id or default_unit().pk})
    _require_reachable(clean["email"], clean["phone"])
    doubtful = _duplicate_found(
        email=clean["email"], phone=clean["phone"], confirmed=confirm_duplicate
    )

    pk = next_ids(Customer)[0]
    customer = Customer.objects.create(
        pk=pk,
        reference=customer_reference(pk),
        state=state,
        currency=currency or settings.OPERATOR_CURRENCY,
        duplicate_confirmed=doubtful,
        created_at=now,
        updated_at=now,
        **clean,
    )
    event = events.CustomerRegistered(
        occurred_at=now, of_customer_id=pk, reference=customer.reference
    )
    ops.emit(event, actor=actor)
    return customer


@transaction.atomic
def change_customer(
    *,
    customer_id: int,
    changes: Mapping[str, Any],
    if_match: str | None = None,
    confirm_duplicate: bool = False,
    actor: Actor,
    now: datetime,
) -> Customer:
    """Change what was said about a customer; equal values change nothing.

    `if_match` is the ETag the caller has read. Refused for a closed customer,
    for another version, and like a registration for malformed or doubtful values.
    """
    customer = _locked(customer_id)
    if if_match not in {None, "*", customer.etag}:
        raise PreconditionFailed
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed
    clean = _cleaned(changes)
    changed = {
        field: [getattr(customer, field), value]
        for field, value in clean.items()
        if getattr(customer, field) != value
    }
    if not changed:
        return customer
    _require_reachable(
        clean.get("email", customer.email), clean.get("phone", customer.phone)
    )
    doubtful = _duplicate_found(
        email=clean["email"] if "email" in changed else "",
        phone=clean["phone"] if "phone" in changed else "",
        confirmed=confirm_duplicate,
        besides=customer_id,
    )

    for field, (_, value) in changed.items():
        setattr(customer, field, value)
    customer.duplicate_confirmed = customer.duplicate_confirmed or doubtful
    customer.store(*changed, "duplicate_confirmed", now=now)
    event = events.CustomerChanged(
        occurred_at=now, of_customer_id=customer_id, reference=customer.reference
    )
    ops.emit(event, actor=actor, changes=changed)
    return customer


@transaction.atomic
def qualify_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """A lead becomes a prospect. Repeating it, or later states, change nothing."""
    customer = _locked(customer_id)
    if customer.state != CustomerState.LEAD:
        return customer

    return _move(
        customer, CustomerState.PROSPECT, events.CustomerChanged, actor=actor, now=now
    )


@transaction.atomic
def activate_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """The first service works: the prospect is a customer now. Repeatable."""
    customer = _locked(customer_id)
    if customer.state == CustomerState.ACTIVE:
        return customer
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed

    customer.activated_at = now
    return _move(
        customer, CustomerState.ACTIVE, events.CustomerActivated, actor=actor, now=now
    )


@transaction.atomic
def close_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """End the relation and keep its history. Repeatable.

    Refused while an app above speaks against it (a running service, say).
    """
    customer = _locked(customer_id)
    if customer.state == CustomerState.CLOSED:
        return customer
    if objections := objections_to_close(_subject(customer)):
        raise CustomerStillServed(" ".join(objections), objections=objections)

    customer.closed_at = now
    return _move(
        customer, CustomerState.CLOSED, events.CustomerClosed, actor=actor, now=now
    )


@transaction.atomic
def delete_customer(*, customer_id: int, actor: Actor, now: datetime) -> None:
    """Delete a customer without history, with its contacts and portal users.

    Refused with `customer_has_history` when an app above keeps something.
    """
    # The strong lock: nothing may come to refer to the row while we ask.
    customer = (
        Customer.objects.select_for_update(of=("self",), no_key=False)
        .filter(pk=customer_id)
        .first()
    )
    if customer is None:
        raise NotFound
    if objections := objections_to_delete(_subject(customer)):
        raise CustomerHasHistory(" ".join(objections), objections=objections)

    event = events.CustomerDeleted(
        occurred_at=now, of_customer_id=customer_id, reference=customer.reference
    )
    ops.emit(event, actor=actor, unit_id=customer.unit_id)
    _delete_only_users_of(customer_id)
    try:
        customer.delete()
    except ProtectedError as error:
        raise CustomerHasHistory from error


def _delete_only_users_of(customer_id: int) -> None:
    """Portal users who act for nobody else go with the customer."""
    members = Membership.objects.filter(customer_id=customer_id).values("user_id")
    elsewhere = Membership.objects.exclude(customer_id=customer_id).values("user_id")
    User.objects.filter(pk__in=members).exclude(pk__in=elsewhere).delete()


def _move(
    customer: Customer,
    state: CustomerState,
    event: type[events.CustomerEvent],
    *,
    actor: Actor,
    now: datetime,
) -> Customer:
    changes = {"state": [customer.state, state]}
    customer.state = state
    customer.store("state", "activated_at", "closed_at", now=now)
    fact = event(
        occurred_at=now, of_customer_id=customer.pk, reference=customer.reference
    )
    ops.emit(fact, actor=actor, changes=changes)
    return customer


def _locked(customer_id: int) -> Customer:
    customer = Customer.objects.locked().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    return customer


def _subject(customer: Customer) -> SubjectRef:
    return SubjectRef("identity", "customer", customer.pk, customer.reference)


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in their stored form; raises what names the malformed one."""
    if unknown := set(values) - CHANGEABLE:
        raise UnknownField(field=min(unknown))
    clean = dict(values)
    for field in clean.keys() & _CHARACTERS_MAX.keys():
        clean[field] = _text(field, clean[field])
    if "name" in clean and not clean["name"]:
        raise InvalidInput("Give a name.", field="name")
    if clean.get("kind", CustomerKind.INDIVIDUAL) not in CustomerKind.values:
        raise InvalidInput("A customer is an individual or a business.", field="kind")
    if clean.get("email"):
        clean["email"] = _email(clean["email"])
    if clean.get("phone"):
        clean["phone"] = _phone(clean["phone"])
    if "unit_id" in clean:
        _require_unit(clean["unit_id"])
    return clean


def _text(field: str, value: str) -> str:
    text = " ".join(value.split())
    if len(text) > _CHARACTERS_MAX[field]:
        raise InvalidInput(f"At most {_CHARACTERS_MAX[field]} characters.", field=field)
    return text


def _email(value: str) -> str:
    email = plain_email(value)
    if email is None:
        raise MalformedEmail(field="email")
    return email


def _phone(value: str) -> str:
    phone = e164(value, region=settings.OPERATOR_COUNTRY)
    if phone is None:
        raise MalformedPhone(field="phone")
    return phone


def _require_unit(unit_id: int) -> None:
    if not OrganisationUnit.objects.filter(pk=unit_id).exists():
        raise UnknownUnit(field="unit")


def _require_reachable(email: str, phone: str) -> None:
    if not email and not phone:
        raise Unreachable(field="email")


def _duplicate_found(
    *, email: str, phone: str, confirmed: bool, besides: int | None = None
) -> bool:
    """True when another open customer has one of them and that is confirmed.

    The address and the number are locked until commit, so that of two who
    register the same person at once the second sees the first.
    """
    _lock_words(email=email.lower(), phone=phone)
    others = Customer.objects.open()
    if besides is not None:
        others = others.exclude(pk=besides)
    for field, lookup, value in (
        ("email", "email__iexact", email),
        ("phone", "phone", phone),
    ):
        found = others.filter(**{lookup: value}).first() if value else None
        if found is None:
            continue
        if not confirmed:
            raise PossibleDuplicate(
                f"{PossibleDuplicate.title} See {found.reference}.",
                field=field,
                existing=found.reference,
            )
        return True
    return False


def _lock_words(**values: str) -> None:
    with connection.cursor() as cursor:
        for field, value in sorted(values.items()):
            if value:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    [f"identity.customer.{field}:{value}"],
                )
