"""What people agreed to tell other tools, and take back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.federation.models import ApplicationToken, AuthorisationCode, Consent
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound
from dotmac.core.refs import SubjectRef


@transaction.atomic
def withdraw_consent(*, consent_id: int, actor: Actor, now: datetime) -> None:
    """The tool learns nothing more of the person: its tokens and codes end at once.

    One's own only. What the tool kept is the tool's; the next sign-in to it asks
    again. Repeating it is refused with NotFound.
    """
    rows = Consent.objects.select_for_update(of=("self",), no_key=True)
    own = rows.select_related("application").filter(user_id=actor.id or 0)
    consent = own.filter(pk=consent_id).first()
    if consent is None:
        raise NotFound
    application = consent.application

    ApplicationToken.objects.filter(
        application=application, session__user_id=consent.user_id, revoked_at=None
    ).update(revoked_at=now, updated_at=now)
    AuthorisationCode.objects.filter(
        application=application, session__user_id=consent.user_id, used_at=None
    ).update(used_at=now, updated_at=now)
    ops.record(
        action="federation.withdraw_consent",
        subject=SubjectRef(
            "federation", "application", application.pk, application.name
        ),
        actor=actor,
        now=now,
        changes={"scopes": [consent.scopes, []]},
    )
    consent.delete()
