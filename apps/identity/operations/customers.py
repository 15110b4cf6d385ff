"""Customers: registered, changed, deleted. Their turns are in `lifecycle`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ProtectedError

from apps.identity import events
from apps.identity.enums import CustomerKind, CustomerState, UserKind
from apps.identity.errors import (
    CustomerClosed,
    CustomerHasHistory,
    MalformedEmail,
    MalformedPhone,
    PossibleDuplicate,
    UnknownField,
    UnknownUnit,
    Unreachable,
)
from apps.identity.models import (
    Customer,
    CustomerChange,
    Membership,
    OrganisationUnit,
    User,
)
from apps.identity.models.signed import signed_by
from apps.identity.operations.fields import merged_values
from apps.identity.operations.files import forget_copies_of, forget_papers_of
from apps.identity.rules.contacts import customer_reference, e164, plain_email
from apps.identity.selectors.staff import default_unit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids
from dotmac.core.errors import InvalidInput, NotFound, PreconditionFailed
from dotmac.core.participants import objections_to_delete
from dotmac.core.refs import SubjectRef

_CHARACTERS_MAX = {
    "name": 200,
    "address": 300,
    "city": 120,
    "region": 120,
    "postal_code": 20,
    "country": 2,
    "tax_number": 40,
    "source": 80,
}
CHANGEABLE = frozenset(
    {"kind", "email", "phone", "unit_id", "owner_id", "custom", *_CHARACTERS_MAX}
)


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
    owner_id: int | None = None,
    custom: Mapping[str, Any] | None = None,
    confirm_duplicate: bool = False,
    actor: Actor,
    now: datetime,
    **place: str,
) -> Customer:
    """A new lead or prospect; `place` holds address, city, source and so on.

    `owner_id` follows it up, `custom` holds values of the operator's own fields.

    Refused: malformed values, and with `possible_duplicate` an e-mail address
    or telephone number of another open customer, unless it is confirmed.
    """
    if state not in {CustomerState.LEAD, CustomerState.PROSPECT}:
        raise InvalidInput("A customer begins as a lead or a prospect.", field="state")
    said = {"kind": kind, "name": name, "email": email, "phone": phone, **place}
    unit = unit_id or default_unit().pk
    clean = _cleaned({**said, "unit_id": unit, "owner_id": owner_id})
    clean["custom"] = merged_values({}, custom or {}, whole=True)
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
    customer = locked_or_missing(customer_id)
    if if_match not in {None, "*", customer.etag}:
        raise PreconditionFailed
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed
    clean = _cleaned(changes)
    if "custom" in clean:
        clean["custom"] = merged_values(customer.custom, clean["custom"], whole=False)
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
    note_changes(customer, changed, actor=actor, now=now)
    ops.emit(event, actor=actor, changes={"fields": sorted(changed)})
    return customer


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
    if objections := objections_to_delete(subject_of(customer)):
        raise CustomerHasHistory(" ".join(objections), objections=objections)

    event = events.CustomerDeleted(
        occurred_at=now, of_customer_id=customer_id, reference=customer.reference
    )
    ops.emit(event, actor=actor, unit_id=customer.unit_id)
    _delete_only_users_of(customer_id)
    forget_papers_of(customer_id)
    forget_copies_of(customer_id, actor, now)
    try:
        customer.delete()
    except ProtectedError as error:
        raise CustomerHasHistory from error


def note_changes(
    customer: Customer,
    changed: Mapping[str, Sequence[Any]],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep values before and after where erasure reaches them; see decision 0051."""
    CustomerChange.objects.bulk_create(
        CustomerChange(
            customer=customer,
            at=now,
            field=field.removesuffix("_id"),
            before=_shown(before),
            after=_shown(after),
            **signed_by(actor),
        )
        for field, (before, after) in sorted(_each_value(changed).items())
    )


def _each_value(changed: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Every field of the operator's own as a line of its own."""
    lines = {field: pair for field, pair in changed.items() if field != "custom"}
    before, after = changed.get("custom", ({}, {}))
    for slug in before.keys() | after.keys():
        if before.get(slug) != after.get(slug):
            lines[f"custom {slug}"[:60]] = [before.get(slug), after.get(slug)]
    return lines


def _shown(value: Any) -> str:
    return "" if value is None else str(value)[:2000]


def refuse_duplicate(customer: Customer, *, confirmed: bool, now: datetime) -> None:
    """Refuse a closed customer's return while another has its address or number."""
    doubtful = _duplicate_found(
        email=customer.email,
        phone=customer.phone,
        confirmed=confirmed,
        besides=customer.pk,
    )
    if doubtful and not customer.duplicate_confirmed:
        customer.duplicate_confirmed = True
        customer.store("duplicate_confirmed", now=now)


def _delete_only_users_of(customer_id: int) -> None:
    """Portal users who act for nobody else go with the customer."""
    members = Membership.objects.filter(customer_id=customer_id).values("user_id")
    elsewhere = Membership.objects.exclude(customer_id=customer_id).values("user_id")
    User.objects.filter(pk__in=members).exclude(pk__in=elsewhere).delete()


def locked_or_missing(customer_id: int) -> Customer:
    """The customer, held until commit; raises NotFound."""
    customer = Customer.objects.locked().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    return customer


def locked_and_open(customer_id: int) -> Customer:
    """The customer, held until commit; raises NotFound and CustomerClosed."""
    customer = locked_or_missing(customer_id)
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed
    return customer


def subject_of(customer: Customer) -> SubjectRef:
    """The customer as participants and the audit know it."""
    return SubjectRef("identity", "customer", customer.pk, customer.reference)


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in their stored form; raises what names the malformed one."""
    if unknown := set(values) - CHANGEABLE:
        raise UnknownField(field=min(unknown))
    clean = {field: _plain(field, value) for field, value in values.items()}
    if "name" in clean and not clean["name"]:
        raise InvalidInput("Give a name.", field="name")
    if clean.get("kind", CustomerKind.INDIVIDUAL) not in CustomerKind.values:
        raise InvalidInput("A customer is an individual or a business.", field="kind")
    if "unit_id" in clean:
        _require_unit(clean["unit_id"])
    if clean.get("owner_id") is not None:
        _require_staff(clean["owner_id"])
    return clean


def _plain(field: str, value: Any) -> Any:
    if field == "email" and value:
        return _email(value)
    if field == "phone" and value:
        return _phone(value)
    return _text(field, value) if field in _CHARACTERS_MAX else value


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


def _require_staff(user_id: int) -> None:
    staff = User.objects.filter(pk=user_id, kind=UserKind.STAFF, is_active=True)
    if not staff.exists():
        raise InvalidInput("There is no such member of staff.", field="owner")


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
