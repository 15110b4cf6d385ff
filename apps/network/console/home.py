"""What of the network needs a person, and how a new installation begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from apps.network import selectors
from apps.network.console import nas_health
from apps.network.enums import CoaState
from dotmac.core.console import (
    HomeContribution,
    HomeNeed,
    Page,
    form_url,
    list_url,
    register_home,
)

RECENT = timedelta(days=1)
COUNT_MAX = 1_000


def needs(page: Page) -> Sequence[HomeNeed]:
    """Pools about to run dry, and NASes that are silent or need not sign."""
    asked = []
    if page.may("network.view_nas"):
        asked += [unsigned(page), nas_health.need(page)]
    if page.may("network.view_pool"):
        asked.append(tight_pools())
    if page.may("network.view_session"):
        asked.append(unanswered(page))
    return asked


def unsigned(page: Page) -> HomeNeed:
    excused = selectors.nas_list(page.actor).filter(
        enabled=True, require_message_authenticator=False
    )
    return HomeNeed(
        label=_("NASes without Message-Authenticator"),
        count=excused.order_by()[:COUNT_MAX].count(),
        url=list_url("nas", signs="excused"),
        detail=_("their requests can be forged"),
        icon="shield-off",
    )


def tight_pools() -> HomeNeed:
    return HomeNeed(
        label=_("Pools almost used up"),
        count=len(selectors.tight_pool_ids()),
        url=list_url("pools"),
        detail=_("less than a tenth of their addresses is free"),
        icon="stack-2",
    )


def unanswered(page: Page) -> HomeNeed:
    silent = selectors.coa_requests(page.actor).filter(
        state=CoaState.SILENT, created_at__gte=page.now - RECENT
    )
    return HomeNeed(
        label=_("Disconnects without an answer"),
        count=silent.order_by()[:COUNT_MAX].count(),
        url=list_url("coa-requests", state="silent"),
        detail=_("in the last day"),
        icon="plug-x",
    )


def first_steps(page: Page) -> Sequence[tuple[Any, str, bool]]:
    """What an ISP sets up before it sells its first service."""
    steps: tuple[tuple[Any, str, str, Any], ...] = (
        (_("Add a NAS"), "nas/new", "network.create_nas", selectors.nas_list),
        (_("Add a pool"), "pools/new", "network.create_pool", selectors.address_pools),
        (_("Add a prefix"), "prefixes/new", "network.create_prefix", selectors.prefixes),
        (_("Add a rate profile"), "rate-profiles/new", "network.create_rate_profile",
         selectors.rate_profiles),
    )  # fmt: skip
    return [
        (label, form_url(slug), rows(page.actor).exists())
        for label, slug, permission, rows in steps
        if page.may(permission)
    ]


register_home(
    HomeContribution(
        app="network",
        permission="network.view_nas",
        needs=needs,
        first_steps=first_steps,
    )
)
