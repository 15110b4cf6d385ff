"""People on a customer's account: invited by mail, by staff or by the customer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.identity.enums import MemberRights, UserKind
from apps.identity.errors import (
    CannotBeInvited,
    LastFullMember,
    MalformedEmail,
)
from apps.identity.models import Customer, Membership, User
from apps.identity.operations.customers import locked_and_open
from apps.identity.operations.joining import invite_known, mail_first_link
from apps.identity.operations.links import MadeLink
from apps.identity.operations.staff import add_user, made_username, user_subject
from apps.identity.rules.contacts import plain_email
from apps.identity.selectors.federated import user_of_email
from apps.ops import operations as ops
from dotmac.core.actors import Actor, ActorKind
from dotmac.core.errors import InvalidInput, NotFound

_NAME_BYTES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedMember:
    """Whom the mail went to; the link only where the person was made by this."""

    user: User
    link: MadeLink | None = None


@transaction.atomic
def invite_member(
    *,
    customer_id: int,
    email: str,
    name: str = "",
    rights: str = MemberRights.FULL,
    actor: Actor,
    now: datetime,
) -> InvitedMember:
    """Let the reader of an address act for the customer, and mail a link there.

    Somebody new acts for it at once. Somebody known gets a mail and decides: the
    inviter learns no link to a sign-in that was there before. Repeating it mails a
    fresh link. Refused: a closed customer, an address of staff.
    """
    customer = locked_and_open(customer_id)
    if rights not in MemberRights.values:
        raise InvalidInput("There are no such rights.", field="rights")
    clean = plain_email(email)
    if not clean:
        raise MalformedEmail(field="email")

    known = user_of_email(clean) is not None
    user = _person(clean, name or customer.name[:150])
    link = None
    if known:
        invite_known(user, customer, rights, now=now)
    else:
        Membership.objects.create(user=user, customer=customer, rights=rights)
        shown = actor.kind != ActorKind.CUSTOMER
        link = mail_first_link(user, customer, shown=shown, now=now)
    ops.record(
        action="identity.invite_member",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"rights": rights},
        customer_id=customer_id,
    )
    return InvitedMember(user=user, link=link)


def _person(email: str, name: str) -> User:
    """The portal user with this address, made where there is none."""
    known = User.objects.locked().filter(email__iexact=email).first()
    if known is None:
        return add_user(
            username=made_username(secrets.token_hex(_NAME_BYTES)),
            email=email,
            name=name,
            kind=UserKind.CUSTOMER,
            password=make_password(None),
        )
    if known.kind != UserKind.CUSTOMER or not known.is_active:
        raise CannotBeInvited(field="email")
    return known


@transaction.atomic
def change_member(
    *, customer_id: int, user_id: int, rights: str, actor: Actor, now: datetime
) -> None:
    """Other rights for somebody on the account. One with all rights remains."""
    if rights not in MemberRights.values:
        raise InvalidInput("There are no such rights.", field="rights")
    member = _locked_member(customer_id, user_id)
    if member.rights == rights:
        return
    if member.rights == MemberRights.FULL:
        _require_other_full(customer_id, user_id)

    before = member.rights
    member.rights = rights
    member.store("rights", now=now)
    _record("change_member", member, actor, now, rights=[before, rights])


@transaction.atomic
def remove_member(
    *, customer_id: int, user_id: int, actor: Actor, now: datetime
) -> None:
    """Somebody no longer acts for the customer; the next request shows it.

    Refused for the last one with all rights. A sign-in that acts for nobody else
    goes with it: it opens nothing, and nobody's erasure would reach it any more.
    """
    member = _locked_member(customer_id, user_id)
    if member.rights == MemberRights.FULL:
        _require_other_full(customer_id, user_id)

    _record("remove_member", member, actor, now, rights=[member.rights, ""])
    member.delete()
    forget_idle_users([user_id])


def forget_idle_users(user_ids: Sequence[int]) -> int:
    """Delete those portal users who act for nobody. Part of an operation.

    Each is locked first: whoever lets one act for another customer holds the row.
    Returns how many were deleted.
    """
    held = [user.pk for user in User.objects.locked().filter(pk__in=user_ids)]
    acting = Membership.objects.filter(user_id__in=held).values("user_id")
    idle = User.objects.filter(pk__in=held, kind=UserKind.CUSTOMER)
    gone = list(idle.exclude(pk__in=acting).values_list("pk", flat=True))
    User.objects.filter(pk__in=gone).delete()
    return len(gone)


def _locked_member(customer_id: int, user_id: int) -> Membership:
    """The customer's row is the lock: two who leave at once cannot both be first."""
    Customer.objects.locked().filter(pk=customer_id).first()
    rows = Membership.objects.select_related("user")
    member = rows.filter(customer_id=customer_id, user_id=user_id).first()
    if member is None:
        raise NotFound
    return member


def _require_other_full(customer_id: int, user_id: int) -> None:
    others = Membership.objects.filter(
        customer_id=customer_id, rights=MemberRights.FULL, user__is_active=True
    ).exclude(user_id=user_id)
    if not others.exists():
        raise LastFullMember


def _record(
    verb: str, member: Membership, actor: Actor, now: datetime, *, rights: list[str]
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=user_subject(member.user),
        actor=actor,
        now=now,
        changes={"rights": rights},
        customer_id=member.customer_id,
    )
