"""API keys: who acts by one, and what their owners and administrators see."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime

from django.core.cache import cache
from django.db.models import QuerySet
from redis.exceptions import RedisError

from apps.identity.errors import TokenRefused
from apps.identity.models import ApiKey
from apps.identity.rules.api_keys import MARK, is_allowed, read_key
from apps.identity.rules.tokens import digest_of
from apps.identity.selectors.staff import staff_visible_to
from dotmac.core.actors import Actor

# How a bearer text begins that is a key and no token.
API_KEY_MARK = MARK


def uses_name(key_id: int) -> str:
    """Where uses are counted between two writes of the row."""
    return f"api-key-uses:{key_id}"


def api_key_of(text: str, *, now: datetime, address: str) -> ApiKey:
    """The working key behind a text, with its owner.

    Raises TokenRefused alike for all others: unknown, wrong, expired, revoked,
    from another address, of somebody who was deactivated.
    """
    found = read_key(text)
    if found is None:
        raise TokenRefused
    rows = ApiKey.objects.working_at(now).select_related("user")
    key = rows.filter(prefix=found.prefix).first()
    digest = key.digest if key is not None else ""
    if not hmac.compare_digest(digest, digest_of(found.whole)) or key is None:
        raise TokenRefused
    if not is_allowed(address, key.addresses):
        raise TokenRefused
    return key


def own_api_keys(user_id: int | None) -> QuerySet[ApiKey]:
    """A person's keys, revoked ones as well."""
    return ApiKey.objects.filter(user_id=user_id or 0)


def api_keys_visible_to(actor: Actor, permission: str) -> QuerySet[ApiKey]:
    """Keys of the staff whom the permission reaches."""
    people = staff_visible_to(actor, permission)
    return ApiKey.objects.filter(user__in=people).select_related("user")


def counted_uses(keys: Iterable[ApiKey]) -> dict[int, int]:
    """How often each key was used, with what is not in its row yet."""
    rows = list(keys)
    names = {uses_name(row.pk): row.pk for row in rows}
    try:
        waiting = cache.get_many(list(names))
    except RedisError:
        waiting = {}
    return {
        row.pk: row.use_count + int(waiting.get(uses_name(row.pk)) or 0) for row in rows
    }
