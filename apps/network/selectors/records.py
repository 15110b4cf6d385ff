"""Rows that people may see. The network belongs to the operator as a whole; who
works for a branch or a reseller sees the accounts, sessions and answers of its
customers, as the app that knows whose an account is tells (`participants`).

Each takes the actor and the permission that the edge asks for, and returns a
queryset that is empty for anybody else.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, OuterRef, QuerySet, Subquery

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
    VendorMap,
    Vlan,
    VlanGroup,
    Vrf,
)
from apps.network.rules.addressing import parsed_network
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import NOTHING, Actor, Scope
from dotmac.core.participants import ids_reached

M = TypeVar("M", bound=Model)


def nas_list(actor: Actor, permission: str = "network.view_nas") -> QuerySet[Nas]:
    """With `vendor_label`, the vendor's name as people write it."""
    label = VendorMap.objects.filter(slug=OuterRef("vendor")).values("label")[:1]
    rows = Nas.objects.select_related("site", "health").annotate(
        vendor_label=Subquery(label)
    )
    return _for_staff(rows, actor, permission)


def sites(actor: Actor, permission: str = "network.view_site") -> QuerySet[Site]:
    return _for_staff(Site.objects.all(), actor, permission)


def vrfs(actor: Actor, permission: str = "network.view_prefix") -> QuerySet[Vrf]:
    return _for_staff(Vrf.objects.all(), actor, permission)


def address_pools(
    actor: Actor, permission: str = "network.view_pool"
) -> QuerySet[AddressPool]:
    return _for_staff(
        AddressPool.objects.select_related("vrf", "with_v6"), actor, permission
    )


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
    return _of_accounts(rows, actor, permission, account="pk")


def accounts_of_login(login: str) -> QuerySet[AccessAccount]:
    """The open account and closed ones that had exactly this login."""
    return AccessAccount.objects.filter(login=login)


def live_sessions(
    actor: Actor, permission: str = "network.view_session"
) -> QuerySet[SessionLive]:
    """Open sessions and those that ended a short while ago."""
    return _of_accounts(SessionLive.objects.select_related("nas"), actor, permission)


def access_attempts(
    actor: Actor, permission: str = "network.view_session"
) -> QuerySet[AccessAttempt]:
    """What RADIUS decided and why, of the last month."""
    return _of_accounts(AccessAttempt.objects.select_related("nas"), actor, permission)


def coa_requests(
    actor: Actor, permission: str = "network.view_session"
) -> QuerySet[CoaRequest]:
    return _of_accounts(CoaRequest.objects.select_related("nas"), actor, permission)


def prefixes_of_text(rows: QuerySet[Prefix], text: str) -> QuerySet[Prefix]:
    """The prefixes that are exactly what was typed; none where it is no prefix."""
    try:
        return rows.filter(cidr=str(parsed_network(text)))
    except MalformedText:
        return rows.none()


def default_vrf_id() -> int:
    """The routing table that is meant where none is named."""
    return Vrf.objects.only("pk").get(name="default").pk


def _for_staff(rows: QuerySet[M], actor: Actor, permission: str) -> QuerySet[M]:
    """What belongs to the whole: only for whom the permission reaches the whole."""
    whole = _staff_scope(actor, permission).everything
    return rows if whole else rows.none()


def _of_accounts(
    rows: QuerySet[M], actor: Actor, permission: str, *, account: str = "account_id"
) -> QuerySet[M]:
    """Rows of accounts: all, or those of the customers within reach."""
    scope = _staff_scope(actor, permission)
    if scope.everything:
        return rows
    if not scope:
        return rows.none()
    reached = ids_reached("network.account", actor, permission)
    return rows.filter(**{f"{account}__in": reached})


def _staff_scope(actor: Actor, permission: str) -> Scope:
    """A customer reaches no record of the network, whatever he was granted."""
    return NOTHING if actor.is_customer else actor.scope(permission)
