"""Recovery codes: for the day on which the telephone is gone."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity.errors import NoSecondFactor
from apps.identity.models import RecoveryCode, User
from apps.identity.operations.staff import user_subject
from apps.identity.rules import recovery
from apps.identity.selectors.factors import has_second_factor
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound


@transaction.atomic
def make_recovery_codes(*, user_id: int, actor: Actor, now: datetime) -> list[str]:
    """Ten fresh codes, as they are shown once; those before stop working.

    Refused to people without a second factor, whom codes would not help. The
    caller has asked for a fresh proof.
    """
    user = User.objects.locked().filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    if not has_second_factor(user_id):
        raise NoSecondFactor

    codes = [recovery.new_code() for _ in range(recovery.CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        [
            RecoveryCode(user=user, digest=recovery.digest(user.pk, code))
            for code in codes
        ]
    )
    ops.record(
        action="identity.make_recovery_codes",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"count": len(codes)},
    )
    return [recovery.shown(code) for code in codes]
