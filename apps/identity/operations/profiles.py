"""What people say about themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity.models import User
from apps.identity.operations.staff import user_subject
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound

NAME_CHARACTERS_MAX = 150


@transaction.atomic
def rename_user(*, user_id: int, name: str, actor: Actor, now: datetime) -> User:
    """How the person wants to be called. Repeating it changes nothing."""
    user = User.objects.locked().filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    clean = " ".join(name.split())
    if not 0 < len(clean) <= NAME_CHARACTERS_MAX:
        raise InvalidInput("Give a name of at most 150 characters.", field="name")
    if clean == user.name:
        return user

    user.name = clean
    user.store("name", now=now)
    ops.record(
        action="identity.rename_user",
        subject=user_subject(user),
        actor=actor,
        now=now,
        changes={"fields": ["name"]},
    )
    return user
