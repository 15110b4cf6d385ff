"""What another provider's word opens here: accounts, and sessions like all others.

Who is believed, and why, is apps.federation's to decide; what comes of it here is
the same session, with the same limits, as behind a password.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.identity.enums import MemberRights, SessionFace, SessionStage, UserKind
from apps.identity.errors import CredentialsRefused, MfaEnrolmentRequired
from apps.identity.models import Customer, Membership, User
from apps.identity.operations.emails import prove_email
from apps.identity.operations.sessions import begin_session
from apps.identity.operations.sign_in import SignedIn, may_enter
from apps.identity.operations.staff import add_user, made_username, user_subject
from apps.identity.rules.contacts import plain_username
from apps.identity.selectors.factors import has_second_factor
from apps.ops import operations as ops
from dotmac.core.actors import Actor


@transaction.atomic
def create_federated_staff(
    *, email: str, name: str, fallback_name: str, actor: Actor, now: datetime
) -> User:
    """A member of staff without password and roles; the address is proved.

    The sign-in name is the address, or `fallback_name` where that is none. Refused
    for a name or an address that somebody has: repeating it makes no second one.
    """
    user = _add(email, name, plain_username(email) or fallback_name, UserKind.STAFF)
    _settle(user, actor, now, "create_staff")
    return user


@transaction.atomic
def create_federated_member(
    *, email: str, name: str, fallback_name: str, actor: Actor, now: datetime
) -> User | None:
    """A portal user for the one open customer of this address, with all rights.

    None where there is no such customer, or more than one, or where somebody acts
    for it already: then that person decides who else does. Refused as for staff.
    The sign-in name is made of `fallback_name`: the audit keeps it for ever.
    """
    found = list(Customer.objects.locked().open().filter(email__iexact=email)[:2])
    if len(found) != 1 or Membership.objects.filter(customer=found[0]).exists():
        return None
    customer = found[0]
    username = made_username(fallback_name)
    user = _add(email, name or customer.name, username, UserKind.CUSTOMER)
    Membership.objects.create(user=user, customer=customer, rights=MemberRights.FULL)
    _settle(user, actor, now, "create_portal_user", customer_id=customer.pk)
    return user


def hold_people(user_ids: Iterable[int]) -> None:
    """Keep their rows until commit, in the order of keys.

    For an operation that goes on to change several people: one after the other, with
    the owner role's row in between, would meet others who do the same.
    """
    list(User.objects.locked().filter(pk__in=set(user_ids)).values_list("pk"))


def _add(email: str, name: str, username: str, kind: UserKind) -> User:
    return add_user(
        username=username,
        email=email,
        name=name[:150],
        kind=kind,
        password=make_password(None),
    )


def _settle(
    user: User,
    actor: Actor,
    now: datetime,
    verb: str,
    *,
    customer_id: int | None = None,
) -> None:
    prove_email(user=user, email=user.email, now=now)
    ops.record(
        action=f"identity.{verb}",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"username": user.username, "federated": True},
        customer_id=customer_id,
    )


@transaction.atomic
def begin_federated_session(
    *,
    user_id: int,
    face: str,
    mfa_at: datetime | None,
    may_enrol: bool,
    address: str,
    device: str,
    now: datetime,
) -> SignedIn:
    """A session for somebody whom a provider vouched for. Each call begins one.

    `mfa_at` is when the provider saw a second factor, where it is trusted with
    that; otherwise ours is asked next. Staff who have none set one up where
    `may_enrol` says so, and are refused elsewhere. Raises CredentialsRefused for
    those who are switched off or belong behind another door.
    """
    user = User.objects.locked().filter(pk=user_id).first()
    if user is None or not may_enter(user, face):
        raise CredentialsRefused
    stage = _stage(user, mfa_at, may_enrol=may_enrol)
    return SignedIn(
        session=begin_session(
            user=user,
            face=SessionFace(face),
            stage=stage,
            address=address,
            device=device,
            now=now,
            mfa_at=mfa_at,
        )
    )


def _stage(user: User, mfa_at: datetime | None, *, may_enrol: bool) -> SessionStage:
    if mfa_at is not None:
        return SessionStage.FULL
    if has_second_factor(user.pk):
        return SessionStage.PASSWORD
    if user.kind != UserKind.STAFF:
        return SessionStage.FULL
    if not may_enrol:
        raise MfaEnrolmentRequired
    return SessionStage.ENROLMENT
