"""The e-mail address of a sign-in: changed by who reads the new one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.identity.enums import LinkPurpose
from apps.identity.errors import EmailTaken, MalformedEmail
from apps.identity.models import EmailProof, User
from apps.identity.operations.links import mail_link, make_link, take_link
from apps.identity.operations.notices import notify
from apps.identity.rules.contacts import plain_email
from apps.identity.rules.lifetimes import EMAIL_PROOF_LIFETIME
from apps.identity.selectors.actors import actor_for_user
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import NotFound
from dotmac.core.letters import MARK
from dotmac.core.refs import SubjectRef


@transaction.atomic
def request_email(*, user_id: int, email: str, actor: Actor, now: datetime) -> None:
    """Mail a link to an address; it becomes the person's when the link is used.

    The address that the sign-in has already is confirmed in the same way. Whether
    somebody else uses it is said when the link is used, to who reads that mailbox.
    """
    clean = plain_email(email)
    user = User.objects.locked().filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    if not clean:
        raise MalformedEmail(field="email")

    link = make_link(
        user=user,
        purpose=LinkPurpose.CONFIRM_EMAIL,
        email=clean,
        lifetime=EMAIL_PROOF_LIFETIME,
        now=now,
    )
    mail_link(
        link,
        to=clean,
        subject=_("Confirm your e-mail address"),
        lines=(
            _("Dear %s,") % user.name,
            _("Open this link to confirm that this is your address:"),
            MARK,
            _("It works once, for two days. If this is not for you, do nothing."),
        ),
        now=now,
    )
    _record("request_email", user, actor, now)


@transaction.atomic
def confirm_email(*, token: str, now: datetime) -> User:
    """The address belongs to the sign-in from now on; the one before is told.

    Refused: a link that is over, an address that somebody else signs in with.
    """
    link = take_link(token=token, purpose=LinkPurpose.CONFIRM_EMAIL, now=now)
    user = User.objects.locked().get(pk=link.user_id)
    before = user.email
    if before.lower() != link.email.lower():
        user.email = link.email
        with refusing(identity_user_email_once=EmailTaken):
            user.store("email", now=now)
    prove_email(user=user, email=link.email, now=now)
    _record("confirm_email", user, actor_for_user(user), now)
    if before and before.lower() != link.email.lower():
        notify(
            user,
            subject=_("Your e-mail address was changed"),
            body=_("Your account uses another e-mail address from now on."),
            key=f"email-{link.pk}",
            email=before,
            now=now,
        )
    return user


def prove_email(*, user: User, email: str, now: datetime) -> None:
    """A link that was mailed there was used, inside the caller's transaction."""
    EmailProof.objects.update_or_create(
        user=user, defaults={"email": email, "proved_at": now}
    )


def _record(verb: str, user: User, actor: Actor, now: datetime) -> None:
    """That it changed, never to what: the audit cannot forget."""
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "user", user.pk, user.username),
        actor=actor,
        now=now,
        changes={"fields": ["email"]},
    )
