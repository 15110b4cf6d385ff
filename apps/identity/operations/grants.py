"""Single permissions on single units and customers (django-guardian's tables)."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.identity.enums import UserKind
from apps.identity.errors import (
    BeyondOwnRights,
    NotStaff,
    UnknownPermission,
    UnknownUnit,
)
from apps.identity.models import (
    Customer,
    CustomerGrant,
    OrganisationUnit,
    UnitGrant,
    User,
)
from apps.identity.operations.way_back import keeping_a_way_back
from apps.identity.rules.giving import covers_customer, missing_in_unit
from apps.identity.selectors.staff import default_unit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound
from dotmac.core.refs import SubjectRef

_GRANT = "identity.grant_access"


@transaction.atomic
def grant_on_customer(
    *, user_id: int, permission: str, customer_id: int, actor: Actor, now: datetime
) -> None:
    """Let a member of staff do one thing for one customer. Repeatable.

    Refused where the actor may not do it there himself.
    """
    customer = _customer(customer_id)
    user, row = _staff(user_id), _permission(Customer, permission)
    _require_customer(actor, permission, customer)

    CustomerGrant.objects.assign_perm(row, user, customer)
    _record("grant_on_customer", user, permission, actor, now, customer_id=customer_id)


@transaction.atomic
def revoke_on_customer(
    *, user_id: int, permission: str, customer_id: int, actor: Actor, now: datetime
) -> None:
    """Take such a permission back. Harmless when it was not held."""
    user, row = _staff(user_id), _permission(Customer, permission)
    _require_customer(actor, permission, _customer(customer_id))
    CustomerGrant.objects.filter(
        user=user, permission=row, content_object_id=customer_id
    ).delete()
    _record("revoke_on_customer", user, permission, actor, now, customer_id=customer_id)


@transaction.atomic
def grant_on_unit(
    *, user_id: int, permission: str, unit_id: int, actor: Actor, now: datetime
) -> None:
    """Let a member of staff do one thing in a unit and below. Repeatable.

    Refused where the actor may not do it there himself.
    """
    unit = OrganisationUnit.objects.filter(pk=unit_id).first()
    if unit is None:
        raise UnknownUnit(field="unit")
    user, row = _staff(user_id), _permission(OrganisationUnit, permission)
    _require_unit(actor, permission, unit_id)

    UnitGrant.objects.assign_perm(row, user, unit)
    _record("grant_on_unit", user, permission, actor, now, unit_id=unit_id)


@transaction.atomic
def revoke_on_unit(
    *, user_id: int, permission: str, unit_id: int, actor: Actor, now: datetime
) -> None:
    """Take such a permission back. Harmless when it was not held."""
    user, row = _staff(user_id), _permission(OrganisationUnit, permission)
    _require_unit(actor, permission, unit_id)
    granted = UnitGrant.objects.filter(
        user=user, permission=row, content_object_id=unit_id
    )
    with keeping_a_way_back((permission,)):
        granted.delete()
    _record("revoke_on_unit", user, permission, actor, now, unit_id=unit_id)


def _customer(customer_id: int) -> Customer:
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    return customer


def _require_unit(actor: Actor, permission: str, unit_id: int) -> None:
    """Raise BeyondOwnRights unless the actor holds it, and may grant, there."""
    is_top = unit_id == default_unit().pk
    asked = (permission, _GRANT)
    if missing := missing_in_unit(actor, asked, unit_id, is_top=is_top):
        raise BeyondOwnRights(field="permission", missing=missing)


def _require_customer(actor: Actor, permission: str, customer: Customer) -> None:
    missing = [
        name
        for name in (permission, _GRANT)
        if not covers_customer(actor.scope(name), customer.pk, customer.unit_id)
    ]
    if missing:
        raise BeyondOwnRights(field="permission", missing=missing)


def _staff(user_id: int) -> User:
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    if user.kind != UserKind.STAFF:
        raise NotStaff
    return user


def _permission(model: type[models.Model], name: str) -> Permission:
    kind = ContentType.objects.get_for_model(model)
    row = Permission.objects.filter(content_type=kind, codename=name).first()
    if row is None or "." not in name:
        raise UnknownPermission(field="permission")
    return row


def _record(
    verb: str,
    user: User,
    permission: str,
    actor: Actor,
    now: datetime,
    *,
    customer_id: int | None = None,
    unit_id: int | None = None,
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "user", user.pk, user.username),
        actor=actor,
        now=now,
        changes={"permission": permission},
        customer_id=customer_id,
        unit_id=unit_id,
    )
