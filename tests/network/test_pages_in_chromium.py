"""The network's pages in a real browser, with sessions, holds and addresses in them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.browser import chromium, site, visit, walk
from tests.network.conftest import acting, build_network, session_row

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]


@pytest.fixture
def nuru(site):
    """Nuru's cookies, over a network in use."""
    from django.utils import timezone

    from apps.network.models import AccessAttempt, CoaRequest, UsageHour
    from tests.sessions import enter
    from tests.world import World

    world, now = World(), timezone.now()
    do = acting(world.nuru.actor, now=now)
    net = build_network(do)
    do.create_prefix(cidr="192.0.0.0/16", kind="container", description="Public")
    do.create_prefix(cidr="192.0.2.0/24", kind="container", description="Ikeja")
    do.create_prefix(cidr="10.20.0.0/16", description="Carrier-grade NAT")
    do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    session_row(net, net.account, started_at=now - timedelta(minutes=4))
    do.place_hold(
        account_id=net.account.pk, reason="abuse", effect="throttle",
        note="Spam from port 25, told by phone",
    )  # fmt: skip
    do.request_disconnects(account_id=net.account.pk, reason="hold placed: abuse")
    CoaRequest.objects.filter(kind="disconnect").update(
        state="refused", answer="Disconnect-NAK, Error-Cause 503", answered_at=now
    )
    do.add_handle(account_id=net.account.pk, kind="circuit_id", value="0x0004006401")
    AccessAttempt.objects.create(
        decided_at=now, login="ada@home", mac="aa:bb:cc:00:00:01", accepted=False,
        reason="hold", hold_reason="non_payment", account=net.account, nas=net.nas,
    )  # fmt: skip
    hour = now.replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.bulk_create(
        UsageHour(account=net.account, hour_at=hour - timedelta(hours=i),
                  octets_in=10**8 * (i % 5), octets_out=10**9 * (i % 7))
        for i in range(24)
    )  # fmt: skip
    return {"sessionid": enter(world.nuru).cookies["sessionid"].value}


PATHS = (
    "nas", "nas/1", "nas/1?tab=sessions", "nas/1?tab=requests", "nas/new",
    "nas/1/change", "prefixes", "prefixes/1", "prefixes/3?tab=inside", "prefixes/new",
    "pools", "pools/1", "pools/new", "sites", "sites/1", "sites/new", "rate-profiles",
    "rate-profiles/1", "rate-profiles/new", "accounts", "accounts/1",
    "accounts/1?tab=usage", "accounts/1?tab=sessions", "accounts/1/hold",
    "accounts/1/change", "accounts/1/password", "accounts/1/vlan", "accounts/1/address",
    "nas/1/disconnect-all", "sites/1/disconnect-all", "sessions",
    "sessions/1", "coa-requests", "coa-requests/1", "accounts/1/add-handle",
    "login-attempts", "login-attempts/explain",
    "login-attempts/explain?login=ada@home&nas=127.0.1.1",
)  # fmt: skip


def test_each_page_of_the_network_is_quiet_and_fits(visit, nuru):
    assert walk(visit(nuru), [f"/console/{path}" for path in PATHS]) == {}
