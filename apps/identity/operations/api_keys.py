"""Keys for programs: made with a fresh second factor, shown once, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from apps.identity.enums import UserKind
from apps.identity.errors import MalformedAddress, NameTaken, NotStaff, ScopeTooWide
from apps.identity.models import ApiKey, User
from apps.identity.operations.notices import notify
from apps.identity.rules.api_keys import (
    ADDRESSES_MAX,
    DAYS_MAX,
    SCOPES_MAX,
    networks,
    new_key,
)
from apps.identity.rules.lifetimes import KEY_USE_STEP
from apps.identity.rules.tokens import digest_of
from apps.identity.selectors.api_keys import uses_name
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

KEYS_MAX = 50
NAME_CHARACTERS_MAX = 80
_USES_KEPT_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiKey:
    """The key's row, and its text: known here only."""

    row: ApiKey
    key: str


@transaction.atomic
def create_api_key(
    *,
    name: str,
    scopes: Sequence[str],
    days: int,
    addresses: Sequence[str] = (),
    actor: Actor,
    now: datetime,
) -> NewApiKey:
    """A key of the actor's own. Its rights are the scopes that the owner holds.

    Refused: scopes that the actor does not hold, a taken name, malformed
    networks, people who are not staff. The owner gets a notice.
    """
    user = User.objects.locked().filter(pk=actor.id or 0, is_active=True).first()
    if user is None:
        raise NotFound
    if user.kind != UserKind.STAFF:
        raise NotStaff
    wanted, bound = _wanted(scopes, actor), _bound(addresses)
    if not name.strip():
        raise InvalidInput(_("Give the key a name."), field="name")
    if not 1 <= days <= DAYS_MAX:
        raise InvalidInput(f"Between 1 and {DAYS_MAX} days.", field="days")
    if ApiKey.objects.filter(user=user, revoked_at=None).count() >= KEYS_MAX:
        raise InvalidInput(f"At most {KEYS_MAX} keys.")

    made = new_key()
    with refusing(identity_apikey_name_once=lambda: NameTaken(field="name")):
        row = ApiKey.objects.create(
            user=user,
            name=name.strip()[:NAME_CHARACTERS_MAX],
            prefix=made.prefix,
            digest=digest_of(made.whole),
            scopes=wanted,
            addresses=bound,
            expires_at=now + timedelta(days=days),
        )
    _record("create_api_key", row, actor, now, scopes=wanted, addresses=bound)
    notify(
        user,
        subject=_("An API key was made"),
        body=_('The key "%s" acts in your name from now on.') % row.name,
        key=f"api-{row.pk}",
        now=now,
    )
    return NewApiKey(row=row, key=made.whole)


def _wanted(scopes: Sequence[str], actor: Actor) -> list[str]:
    wanted = sorted(set(scopes))
    if not 0 < len(wanted) <= SCOPES_MAX:
        raise InvalidInput(_("Choose what the key may do."), field="scopes")
    beyond = [name for name in wanted if name not in actor.scopes]
    if beyond:
        raise ScopeTooWide(field="scopes", beyond=beyond[:10])
    return wanted


def _bound(addresses: Sequence[str]) -> list[str]:
    try:
        bound = networks(addresses)
    except ValueError as error:
        raise MalformedAddress(str(error), field="addresses") from error
    if len(bound) > ADDRESSES_MAX:
        raise InvalidInput(f"At most {ADDRESSES_MAX} networks.", field="addresses")
    return bound


@transaction.atomic
def revoke_api_key(
    *, key_id: int, owner_id: int | None = None, actor: Actor, now: datetime
) -> ApiKey:
    """The key stops working with the next request. Repeating it changes nothing.

    `owner_id` narrows it to one person's own keys.
    """
    rows = ApiKey.objects.locked().select_related("user").filter(pk=key_id)
    row = (rows if owner_id is None else rows.filter(user_id=owner_id)).first()
    if row is None:
        raise NotFound
    if row.revoked_at is not None:
        return row

    row.revoked_at = now
    row.store("revoked_at", now=now)
    _record("revoke_api_key", row, actor, now)
    return row


def revoke_keys_of(*, user_id: int, now: datetime) -> int:
    """All keys of a person, inside the caller's transaction."""
    rows = ApiKey.objects.filter(user_id=user_id, revoked_at=None)
    return rows.update(revoked_at=now, updated_at=now)


def count_key_use(*, key: ApiKey, address: str, now: datetime) -> None:
    """Note a use. The row is written once a minute at most; Valkey counts between.

    Of several requests in one moment one writes. A counter that does not answer
    costs the count, not the request.
    """
    name = uses_name(key.pk)
    try:
        cache.add(name, 0, _USES_KEPT_S)
        waiting = cache.incr(name)
    except (RedisError, ValueError):
        waiting = 0
    if key.last_used_at is not None and now < key.last_used_at + KEY_USE_STEP:
        return
    seen = ApiKey.objects.filter(pk=key.pk, last_used_at=key.last_used_at)
    written = seen.update(
        last_used_at=now,
        last_address=address or None,
        use_count=F("use_count") + (waiting or 1),
    )
    if written and waiting:
        cache.decr(name, waiting)


def _record(
    verb: str, row: ApiKey, actor: Actor, now: datetime, **changes: object
) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "apikey", row.pk, row.name),
        actor=actor,
        now=now,
        changes={"owner": row.user.username, **changes},
    )
