"""VLAN ids: first free of a group, the same pattern as addresses."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from apps.network.errors import NameTaken, VlanGroupExhausted
from apps.network.events import VlanAssigned, VlanGroupCreated
from apps.network.models import AccessAccount, Vlan, VlanGroup
from apps.network.operations.checks import (
    in_range,
    named,
    open_account,
    refuse_unknown_site,
)
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput

VID_MAX = 4094


@transaction.atomic
def create_vlan_group(
    *, name: str, vid_min: int = 2, vid_max: int = VID_MAX, outer_vid: int | None = None,
    site_id: int | None = None, actor: Actor, now: datetime,
) -> VlanGroup:  # fmt: skip
    """A switch domain, or the inner tags of one outer tag (Q-in-Q)."""
    named(name, maximum=64)
    in_range("vid_min", vid_min, 1, VID_MAX)
    in_range("vid_max", vid_max, 1, VID_MAX)
    if vid_max < vid_min:
        raise InvalidInput("The range ends before it begins.", field="vid_max")
    if outer_vid is not None:
        in_range("outer_vid", outer_vid, 1, VID_MAX)
    refuse_unknown_site(site_id)

    with refusing(network_vlangroup_name_key=lambda: NameTaken(field="name")):
        group = VlanGroup.objects.create(
            name=name, vid_min=vid_min, vid_max=vid_max, outer_vid=outer_vid,
            site_id=site_id,
        )  # fmt: skip
    ops.emit(
        VlanGroupCreated(occurred_at=now, record_id=group.pk, label=name), actor=actor
    )
    return group


@transaction.atomic
def assign_vlan(*, group_id: int, account_id: int, actor: Actor, now: datetime) -> Vlan:
    """Give the account the first free VLAN id of the group.

    Repeating it returns the id that it has; an id of another group is given
    back. Refused when the account is closed or the group has no free id.
    """
    account = open_account(account_id)
    before = _vlan_of(account)
    if before is not None and before.group_id == group_id:
        return before

    group = VlanGroup.objects.locked().get(pk=group_id)
    vlan = _first_free(group, account)
    account.vlan = vlan
    account.store("vlan", now=now)
    if before is not None:
        before.delete()
    ops.emit(
        VlanAssigned(
            occurred_at=now, account_id=account.pk, login=account.login,
            group_id=group.pk, vid=vlan.vid,
        ),
        actor=actor,
    )  # fmt: skip
    return vlan


def release_vlan_of(account: AccessAccount, *, now: datetime) -> None:
    """Give the VLAN id of a locked account back; part of closing it."""
    vlan = _vlan_of(account)
    if vlan is None:
        return
    account.vlan = None
    account.store("vlan", now=now)
    vlan.delete()


def _vlan_of(account: AccessAccount) -> Vlan | None:
    if account.vlan_id is None:
        return None
    return Vlan.objects.get(pk=account.vlan_id)


def _first_free(group: VlanGroup, account: AccessAccount) -> Vlan:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO network_vlan (group_id, vid, name)
            SELECT %(group)s, v.vid, %(name)s
              FROM generate_series(%(low)s::int, %(high)s::int) v (vid)
             WHERE NOT EXISTS (SELECT FROM network_vlan t
                                WHERE t.group_id = %(group)s AND t.vid = v.vid)
             ORDER BY v.vid LIMIT 1
            RETURNING id
            """,
            {
                "group": group.pk,
                "name": account.login,
                "low": group.vid_min,
                "high": group.vid_max,
            },
        )
        row = cursor.fetchone()
    if row is None:
        raise VlanGroupExhausted(group=group.name)
    return Vlan.objects.get(pk=row[0])
