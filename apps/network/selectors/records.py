"""Rows that people may see. Network records have no customer: staff sees them all.

Each takes the actor and the permission that the edge asks for, and returns a
queryset that is empty for anybody else.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

from apps.network.models import (
    AccessAccount,
    AccessAttempt,
    AddressAssignment,
    AddressPool,
    CoaRequest,
    Nas,
    Prefix,
    RateProfile,
    SessionLive,
    Site,
    Vlan,
    VlanGroup,
    Vrf,
)
from apps.network.rules.addressing import parsed_network
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import Actor
from dotmac.core.models import open_sealed, sealed_equal

M = TypeVar("M", bound=Model)
SHARING_MAX = 20


def nas_list(actor: Actor, permission: str = "network.view_nas") -> QuerySet[Nas]:
    return _for_staff(Nas.objects.select_related("site"), actor, permission)


def sites(actor: Actor, permission: str = "network.view_site") -> QuerySet[Site]:
    return _for_staff(Site.objects.all(), actor, permission)


def vrfs(actor: Actor, permission: str = "network.view_prefix") -> QuerySet[Vrf]:
    return _for_staff(Vrf.objects.all(), actor, permission)


def address_pools(
    actor: Actor, permission: str = "network.view_pool"
) -> QuerySet[AddressPool]:
    return _for_staff(AddressPool.objects.select_related("vrf"), actor, permission)


def prefixes(actor: Actor, permission: str = "network.view_prefix") -> QuerySet[Prefix]:
    rows = Prefix.objects.select_related("vrf", "pool", "site")
    return _for_staff(rows, actor, permission)


def assignments(
    actor: Actor, permission: str = "network.view_prefix"
) -> QuerySet[AddressAssignment]:
    rows = AddressAssignment.objects.select_related("account", "prefix", "pool")
    return _for_staff(rows, actor, permission)


def rate_profiles(
    actor: Actor, permission: str = "network.view_rate_profile"
) -> QuerySet[RateProfile]:
    return _for_staff(RateProfile.objects.all(), actor, permission)


def vlan_groups(
    actor: Actor, permission: str = "network.view_vlan"
) -> QuerySet[VlanGroup]:
    return _for_staff(VlanGroup.objects.select_related("site"), actor, permission)


def vlans(actor: Actor, permission: str = "network.view_vlan") -> QuerySet[Vlan]:
    return _for_staff(Vlan.objects.select_related("group"), actor, permission)


def accounts(
    actor: Actor, permission: str = "network.view_account"
) -> QuerySet[AccessAccount]:
    rows = AccessAccount.objects.select_related("profile", "pool", "vlan")
    return _for_staff(rows, actor, permission)


def accounts_of_login(login: str) -> QuerySet[AccessAccount]:
    """The open account and closed ones that had exactly this login."""
    return AccessAccount.objects.filter(login=login)


def live_sessions(
    actor: Actor, permission: str = "network.view_session"
) -> QuerySet[SessionLive]:
    """Open sessions and those that ended a short while ago."""
    return _for_staff(SessionLive.objects.select_related("nas"), actor, permission)


def access_attempts(
    actor: Actor, permission: str = "network.view_session"
) -> QuerySet[AccessAttempt]:
    """What RADIUS decided and why, of the last month."""
    return _for_staff(AccessAttempt.objects.select_related("nas"), actor, permission)


def coa_requests(
    actor: Actor, permission: str = "network.view_session"
) -> QuerySet[CoaRequest]:
    return _for_staff(CoaRequest.objects.select_related("nas"), actor, permission)


def prefixes_of_text(rows: QuerySet[Prefix], text: str) -> QuerySet[Prefix]:
    """The prefixes that are exactly what was typed; none where it is no prefix."""
    try:
        return rows.filter(cidr=str(parsed_network(text)))
    except MalformedText:
        return rows.none()


def default_vrf_id() -> int:
    """The routing table that is meant where none is named."""
    return Vrf.objects.only("pk").get(name="default").pk


def nas_secret(nas_id: int) -> str:
    """The clear secret shared with the NAS: shown once when it was made, and for
    the programs that speak RADIUS."""
    return open_sealed(Nas.objects.get(pk=nas_id), "secret")


def nas_sharing_secret(nas: Nas) -> list[Nas]:
    """Other NASes with the very same secret (at most SHARING_MAX), by name.

    Who learns one of them can speak for all, so each should have its own.
    """
    same = sealed_equal(Nas, "secret_index", open_sealed(nas, "secret"))
    return list(
        Nas.objects.filter(same).exclude(pk=nas.pk).order_by("name")[:SHARING_MAX]
    )


def _for_staff(rows: QuerySet[M], actor: Actor, permission: str) -> QuerySet[M]:
    may = actor.may(permission) and not actor.is_customer
    return rows if may else rows.none()
