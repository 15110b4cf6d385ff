"""Access accounts from opening to closing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from apps.network.enums import AccountKind, PoolMode
from apps.network.errors import LoginTaken
from apps.network.events import AccessChanged, AccessClosed, AccessOpened
from apps.network.models import (
    AccessAccount,
    AccessHandle,
    AccessHold,
    AddressPool,
    RateProfile,
)
from apps.network.operations.addresses import (
    allocate_address,
    pools_together,
    release_address,
)
from apps.network.operations.checks import checked, in_range, one_of, open_account
from apps.network.operations.disconnects import tell_edge
from apps.network.operations.vlans import release_vlan_of
from apps.network.rules.credentials import (
    canonical_mac,
    checked_login,
    checked_password,
)
from apps.network.rules.effects import EdgeAct, edge_act
from apps.network.selectors.state import access_state
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids, refusing
from dotmac.core.errors import InvalidInput
from dotmac.core.models import open_sealed, seal_into

SESSIONS_MAX = 32767


@dataclass(frozen=True, slots=True)
class Keep:
    """Stands for "leave this as it is" where None is a value of its own."""


KEEP: Final = Keep()


@transaction.atomic
def open_access(
    *, login: str, password: str, profile_id: int, pool_id: int | None = None,
    kind: str = AccountKind.RADIUS, expires_at: datetime | None = None,
    mac_lock: str | None = None, sessions_max: int | None = None, actor: Actor,
    now: datetime,
) -> AccessAccount:  # fmt: skip
    """Let a login in, from the next packet on.

    Refused when the login, password or MAC address is malformed, and with
    `login_taken` when an open account has the login; logins differ by case.
    """
    checked("login", checked_login, login)
    checked("password", checked_password, password)
    one_of("kind", kind, AccountKind.values)
    account = AccessAccount(
        id=next_ids(AccessAccount)[0],
        login=login,
        kind=kind,
        profile_id=_known(RateProfile, "profile", profile_id),
        pool_id=None if pool_id is None else _known(AddressPool, "pool", pool_id),
        mac_lock=checked("mac_lock", canonical_mac, mac_lock or ""),
        sessions_max=_sessions(sessions_max),
        expires_at=expires_at,
    )
    seal_into(account, "secret", password)

    taken = LoginTaken(field="login", login=login)
    if AccessAccount.objects.active().filter(login=login).exists():
        raise taken
    with refusing(network_accessaccount_login_taken=lambda: taken):
        account.save(force_insert=True)
    ops.emit(
        AccessOpened(occurred_at=now, account_id=account.pk, login=login), actor=actor
    )
    return account


@transaction.atomic
def change_access(
    *, account_id: int, profile_id: int | Keep = KEEP, pool_id: int | Keep | None = KEEP,
    expires_at: datetime | Keep | None = KEEP, mac_lock: str | Keep | None = KEEP,
    sessions_max: int | Keep | None = KEEP, password: str | Keep = KEEP, actor: Actor,
    now: datetime,
) -> AccessAccount:  # fmt: skip
    """Change what is given; what is left out stays.

    Another speed reaches running sessions by CoA. Another pool gives the old
    address back, takes one of the new pool, and ends the sessions: an address
    cannot change while a session runs. Nothing different, nothing changed.
    Refused when the account is closed.
    """
    account = open_account(account_id)
    wanted = _wanted(
        profile_id=profile_id, pool_id=pool_id, expires_at=expires_at,
        mac_lock=mac_lock, sessions_max=sessions_max,
    )  # fmt: skip
    changes = _differences(account, wanted)
    new_password = None if isinstance(password, Keep) else password
    if new_password is not None and _reseal(account, new_password):
        changes["secret"] = ["***", "***"]
    if not changes:
        return account

    before = access_state(account.pk, at=now).effect
    for name in wanted.keys() & changes.keys():
        setattr(account, name, wanted[name])
    fields = [name.removesuffix("_id") for name in changes]
    account.store(*fields, now=now)
    if "pool_id" in changes:
        _move_pool(account, changes["pool_id"][0], actor=actor, now=now)
    tell_edge(
        edge_act(
            before=before,
            after=access_state(account.pk, at=now).effect,
            rate_changed="profile_id" in changes,
            pool_changed="pool_id" in changes,
        ),
        account_id=account.pk, actor=actor, now=now, reason="account changed",
    )  # fmt: skip
    ops.emit(
        AccessChanged(occurred_at=now, account_id=account.pk, login=account.login),
        actor=actor,
        changes={**changes, **_unsaid(changes)},
    )
    return account


def _unsaid(changes: dict[str, list[Any]]) -> dict[str, str]:
    """Whose device it is must not stand in the audit, which cannot forget."""
    return {"mac_lock": "changed"} if "mac_lock" in changes else {}


def _differences(
    account: AccessAccount, wanted: dict[str, Any]
) -> dict[str, list[Any]]:
    """Before and after of each field that is to change."""
    return {
        name: [getattr(account, name), value]
        for name, value in wanted.items()
        if getattr(account, name) != value
    }


@transaction.atomic
def close_access(*, account_id: int, actor: Actor, now: datetime) -> AccessAccount:
    """Close the account for good: no login, no address, no VLAN, no session.

    Its login, devices and lines become free, its open holds end with it. Repeating changes nothing.
    """
    account = AccessAccount.objects.locked().get(pk=account_id)
    if account.closed_at is not None:
        return account

    release_address(account_id=account.pk, actor=actor, now=now)
    release_vlan_of(account, now=now)
    AccessHold.objects.filter(account=account, lifted_at=None).update(
        lifted_at=Greatest(Value(now), F("placed_at")), updated_at=now
    )
    AccessHandle.objects.filter(account=account).delete()
    account.closed_at = now
    account.store("closed_at", now=now)
    tell_edge(
        EdgeAct.DISCONNECT,
        account_id=account.pk, actor=actor, now=now, reason="account closed",
    )  # fmt: skip
    ops.emit(
        AccessClosed(occurred_at=now, account_id=account.pk, login=account.login),
        actor=actor,
    )
    return account


def _known(model: type[Any], field: str, row_id: int) -> int:
    """The id, when there is such a row."""
    if not model.objects.filter(pk=row_id).exists():
        raise InvalidInput("There is no such record.", field=field)
    return row_id


def _sessions(wanted: int | None) -> int | None:
    if wanted is None:
        return None
    return in_range("sessions_max", wanted, 0, SESSIONS_MAX)


def _wanted(
    *, profile_id: int | Keep, pool_id: int | Keep | None,
    expires_at: datetime | Keep | None, mac_lock: str | Keep | None,
    sessions_max: int | Keep | None,
) -> dict[str, Any]:  # fmt: skip
    wanted: dict[str, Any] = {}
    if not isinstance(profile_id, Keep):
        wanted["profile_id"] = _known(RateProfile, "profile", profile_id)
    if not isinstance(pool_id, Keep):
        wanted["pool_id"] = (
            None if pool_id is None else _known(AddressPool, "pool", pool_id)
        )
    if not isinstance(expires_at, Keep):
        wanted["expires_at"] = expires_at
    if not isinstance(mac_lock, Keep):
        wanted["mac_lock"] = checked("mac_lock", canonical_mac, mac_lock or "")
    if not isinstance(sessions_max, Keep):
        wanted["sessions_max"] = _sessions(sessions_max)
    return wanted


def _reseal(account: AccessAccount, password: str) -> bool:
    """Seal another password; False when it is the one in use."""
    checked("password", checked_password, password)
    if open_sealed(account, "secret") == password:
        return False
    seal_into(account, "secret", password)
    return True


def _move_pool(
    account: AccessAccount, old_pool_id: int | None, *, actor: Actor, now: datetime
) -> None:
    """Give back what the old pool and its partners gave, take of the new ones."""
    new = pools_together(account.pool_id) if account.pool_id is not None else []
    old = pools_together(old_pool_id) if old_pool_id is not None else []
    for pool in old:
        if pool not in new:
            release_address(
                account_id=account.pk, pool_id=pool.pk, actor=actor, now=now
            )
    if new and new[0].mode == PoolMode.DOTMAC:
        allocate_address(pool_id=new[0].pk, account_id=account.pk, actor=actor, now=now)
