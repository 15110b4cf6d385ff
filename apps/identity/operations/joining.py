"""How invited people begin to act for a customer: by a link that only they can use."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import CustomerState, LinkPurpose, SessionEnd
from apps.identity.errors import CustomerClosed, LinkRefused
from apps.identity.models import Customer, EmailProof, Membership, User
from apps.identity.operations.emails import prove_email, request_email
from apps.identity.operations.links import MadeLink, mail_link, make_link, take_link
from apps.identity.operations.passwords import set_password
from apps.identity.operations.sessions import end_sessions_of
from apps.identity.operations.staff import user_subject
from apps.identity.rules.lifetimes import PORTAL_INVITATION_LIFETIME
from apps.identity.selectors.actors import actor_for_user
from apps.identity.selectors.links import working_link
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.letters import MARK


def mail_first_link(
    user: User, customer: Customer, *, shown: bool, now: datetime
) -> MadeLink:
    """A link that sets the first password, for who has never come in.

    One that somebody else is `shown` as well proves no mailbox.
    """
    what = _("You may now act for %(name)s (%(reference)s) at %(operator)s.")
    link = make_link(
        user=user,
        purpose=LinkPurpose.JOIN_PORTAL,
        email="" if shown else user.email,
        lifetime=PORTAL_INVITATION_LIFETIME,
        now=now,
    )
    _mail(link, what, _("Choose your password here, within seven days:"), customer, now)
    return link


def invite_known(user: User, customer: Customer, rights: str, *, now: datetime) -> None:
    """Mail somebody who was here before, for whom the address alone says nothing.

    To another account a link that works only with the own sign-in; who acts for
    this one and never came in gets the link to the first password again. Neither
    link is for anybody else to see.
    """
    if not Membership.objects.filter(user=user, customer=customer).exists():
        _offer(user, customer, rights, now)
    elif not _has_come_in(user):
        mail_first_link(user, customer, shown=False, now=now)


def _has_come_in(user: User) -> bool:
    """By a password, or by a provider, which proves the address."""
    proved = EmailProof.objects.filter(user=user)
    return user.has_usable_password() or proved.exists()


def _offer(user: User, customer: Customer, rights: str, now: datetime) -> None:
    link = make_link(
        user=user,
        purpose=LinkPurpose.JOIN_ACCOUNT,
        email=user.email,
        customer=customer,
        rights=rights,
        lifetime=PORTAL_INVITATION_LIFETIME,
        now=now,
    )
    what = _("You are invited to act for %(name)s (%(reference)s) at %(operator)s.")
    how = _("Sign in to the portal and say yes here, within seven days:")
    _mail(link, what, how, customer, now)


def _mail(
    link: MadeLink, what: str, how: str, customer: Customer, now: datetime
) -> None:
    user = link.row.user
    facts = {
        "name": customer.name,
        "reference": customer.reference,
        "operator": settings.OPERATOR_NAME,
    }
    mail_link(
        link,
        to=user.email,
        subject=_("Your account at %s") % settings.OPERATOR_NAME,
        lines=(_("Dear %s,") % user.name, what % facts, how, MARK),
        now=now,
    )


@transaction.atomic
def accept_portal_invitation(*, token: str, password: str, now: datetime) -> User:
    """Use up the link and set the password; the person signs in with it.

    Where the link proves no mailbox, a mail asks to confirm the address. Refused:
    a link that is over, a weak password (then the link stays good).
    """
    link = take_link(token=token, purpose=LinkPurpose.JOIN_PORTAL, now=now)
    user = User.objects.locked().get(pk=link.user_id)
    set_password(user, password, now=now)
    end_sessions_of(user_id=user.pk, reason=SessionEnd.CREDENTIALS_CHANGED, now=now)
    actor = actor_for_user(user)
    if link.email and link.email.lower() == user.email.lower():
        prove_email(user=user, email=user.email, now=now)
    else:
        request_email(user_id=user.pk, email=user.email, actor=actor, now=now)
    ops.record(
        action="identity.accept_portal_invitation",
        subject=user_subject(user),
        actor=actor,
        now=now,
    )
    return user


@transaction.atomic
def accept_account_invitation(*, token: str, actor: Actor, now: datetime) -> Customer:
    """Act for one more customer, as offered to the person who is signed in.

    The mailbox alone is not enough: somebody else may know the password of an
    account that was made with this address. Refused: a link that is over or is
    for another person, a closed customer.
    """
    found = working_link(token=token, purpose=LinkPurpose.JOIN_ACCOUNT, now=now)
    if found is None or found.user_id != actor.id:
        raise LinkRefused
    # The customer is the first lock to take; see docs/locking.md.
    customer = Customer.objects.locked().get(pk=found.customer_id or 0)
    if customer.state == CustomerState.CLOSED:
        raise CustomerClosed
    link = take_link(token=token, purpose=LinkPurpose.JOIN_ACCOUNT, now=now)
    user = User.objects.locked().get(pk=link.user_id)

    Membership.objects.get_or_create(
        user=user, customer=customer, defaults={"rights": link.rights}
    )
    ops.record(
        action="identity.accept_account_invitation",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"rights": link.rights},
        customer_id=customer.pk,
    )
    return customer
