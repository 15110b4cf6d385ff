"""The records of the network are the operator's: no customer reads them."""

from __future__ import annotations

import pytest

from apps.network import selectors
from dotmac.core.actors import Actor, ActorKind, Scope
from dotmac.core.permissions import catalogue
from tests.network.conftest import session_row

RECORDS = (
    selectors.nas_list, selectors.sites, selectors.vrfs, selectors.address_pools,
    selectors.prefixes, selectors.assignments, selectors.rate_profiles,
    selectors.accounts, selectors.live_sessions,
)  # fmt: skip


@pytest.mark.parametrize("records", RECORDS)
def test_are_for_staff_whatever_a_customer_was_granted(net, nuru, records):
    session_row(net, net.account)
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    everything = {name: Scope(everything=True) for name in catalogue()}
    esi = Actor(kind=ActorKind.CUSTOMER, id=None, label="esi", scopes=everything)
    nobody = Actor(kind=ActorKind.STAFF, id=None, label="nobody")

    assert records(nuru).exists()
    assert records(esi).exists() is False
    assert records(nobody).exists() is False
