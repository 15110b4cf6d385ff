"""People on a customer's account: invited by mail, by staff or by the customer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import (
    CustomerState,
    LinkPurpose,
    MemberRights,
    SessionEnd,
    UserKind,
)
from apps.identity.errors import (
    CannotBeInvited,
    CustomerClosed,
    LastFullMember,
    MalformedEmail,
)
from apps.identity.models import Customer, Membership, User
from apps.identity.operations.emails import prove_email
from apps.identity.operations.links import MadeLink, mail_link, make_link, take_link
from apps.identity.operations.passwords import set_password
from apps.identity.operations.sessions import end_sessions_of
from apps.identity.operations.staff import add_user, made_username, user_subject
from apps.identity.rules.contacts import plain_email
from apps.identity.rules.lifetimes import PORTAL_INVITATION_LIFETIME
from apps.identity.selectors.actors import actor_for_user
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.letters import MARK

_NAME_BYTES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedMember:
    """Who may act for the customer now; the link of who has no password yet."""

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

    Somebody who signs in to the portal already gets the account beside the own
    ones, and a notice. Repeating it mails a fresh link. Refused: a closed
    customer, an address of staff.
    """
    customer = Customer.objects.locked().filter(pk=customer_id).first()
    if customer is None:
        raise NotFound
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed
    if rights not in MemberRights.values:
        raise InvalidInput("There are no such rights.", field="rights")
    clean = plain_email(email)
    if not clean:
        raise MalformedEmail(field="email")

    user = _person(clean, name or customer.name[:150])
    _member, created = Membership.objects.get_or_create(
        user=user, customer=customer, defaults={"rights": rights}
    )
    link = _mail(user, customer, now, told_before=not created)
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


def _mail(
    user: User, customer: Customer, now: datetime, *, told_before: bool
) -> MadeLink | None:
    hello = _("Dear %s,") % user.name
    what = _("You may now act for %(name)s (%(reference)s) at %(operator)s.") % {
        "name": customer.name,
        "reference": customer.reference,
        "operator": settings.OPERATOR_NAME,
    }
    subject = _("Your account at %s") % settings.OPERATOR_NAME
    if user.has_usable_password():
        if not told_before:
            ops.send_message(
                to=user.email,
                subject=subject,
                body=f"{hello}\n\n{what}\n\n{settings.BASE_URL}/portal/\n",
                purpose="identity.new_account",
                unique_key=f"identity-account-{user.pk}-{customer.pk}",
                customer_id=customer.pk,
                now=now,
            )
        return None
    link = make_link(
        user=user,
        purpose=LinkPurpose.JOIN_PORTAL,
        email=user.email,
        lifetime=PORTAL_INVITATION_LIFETIME,
        now=now,
    )
    lines = (hello, what, _("Choose your password here, within seven days:"), MARK)
    mail_link(link, to=user.email, subject=subject, lines=lines, now=now)
    return link


@transaction.atomic
def accept_portal_invitation(*, token: str, password: str, now: datetime) -> User:
    """Use up the link and set the password; the person signs in with it.

    Refused: a link that is over, a weak password (then the link stays good).
    """
    link = take_link(token=token, purpose=LinkPurpose.JOIN_PORTAL, now=now)
    user = User.objects.locked().get(pk=link.user_id)
    set_password(user, password, now=now)
    end_sessions_of(user_id=user.pk, reason=SessionEnd.CREDENTIALS_CHANGED, now=now)
    if link.email.lower() == user.email.lower():
        prove_email(user=user, email=user.email, now=now)
    ops.record(
        action="identity.accept_portal_invitation",
        subject=user_subject(user),
        actor=actor_for_user(user),
        now=now,
    )
    return user


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
