"""Mails that tell a person what happened to the own sign-in. No secret in them."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from apps.identity.models import User
from apps.identity.selectors.customers import only_customer_of
from apps.ops import operations as ops

PURPOSE = "identity.notice"


def notify(
    user: User, *, subject: str, body: str, key: str, now: datetime, email: str = ""
) -> None:
    """Queue a notice to the person's address, where there is one.

    `key` makes it unique; `email` is an address that was theirs until now.
    """
    to = email or user.email
    if not to:
        return
    close = _("If this was not you, tell us at once. %s") % settings.OPERATOR_NAME
    ops.send_message(
        to=to,
        subject=subject,
        body=_("Dear %s,") % user.name + f"\n\n{body}\n\n{close}\n",
        purpose=PURPOSE,
        unique_key=f"identity-{key}-{user.pk}-{now.timestamp():.6f}",
        customer_id=only_customer_of(user.pk),
        now=now,
    )
