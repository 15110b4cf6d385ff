"""Nuru the network engineer, Esi the stranger, and a small network of theirs."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dotmac.core.actors import Actor, ActorKind, Scope
from dotmac.core.permissions import catalogue

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=2)


def staff(*permissions: str, name: str = "nuru") -> Actor:
    return Actor(
        kind=ActorKind.STAFF,
        id=None,
        label=name,
        scopes={permission: Scope(everything=True) for permission in permissions},
    )


def nuru_actor() -> Actor:
    return staff(*(name for name in catalogue() if name.startswith("network.")))


@pytest.fixture
def nuru():
    return nuru_actor()


@pytest.fixture
def esi():
    """A customer of someone else: signed in, and nothing here is hers."""
    return Actor(kind=ActorKind.CUSTOMER, id=None, label="esi", scopes={})


@pytest.fixture
def ops_of(nuru):
    """Operations with Nuru at noon filled in, so that tests say only what matters."""
    return acting(nuru)


def acting(actor, now=NOON):
    from apps.network import operations

    def bind(function):
        return lambda **facts: function(**{"actor": actor, "now": now, **facts})

    return SimpleNamespace(
        **{
            name: bind(getattr(operations, name))
            for name in operations.__all__
            if name != "KEEP" and callable(getattr(operations, name))
        }
    )


@pytest.fixture
def net(db, ops_of):
    return build_network(ops_of)


def build_network(do):
    """A site, a NAS, a profile, a /29 pool of five hosts, and one account."""
    site = do.create_site(name="Ikeja", city="Lagos")
    nas = do.create_nas(name="ikeja-1", address="127.0.1.1", site_id=site.pk)
    profile = do.create_rate_profile(name="10M", down_kbps=10_000, up_kbps=5_000)
    pool = do.create_pool(name="home")
    prefix = do.create_prefix(cidr="192.0.2.0/29", pool_id=pool.pk)
    account = do.open_access(
        login="ada@home", password="s3cret-word", profile_id=profile.pk, pool_id=pool.pk
    )
    return SimpleNamespace(
        do=do, site=site, nas=nas, profile=profile, pool=pool, prefix=prefix,
        account=account,
    )  # fmt: skip


def another_account(net, login):
    return net.do.open_access(
        login=login, password="s3cret-word", profile_id=net.profile.pk,
        pool_id=net.pool.pk,
    )  # fmt: skip


def session_row(net, account, *, started_at=NOON, session="s1", stopped_at=None):
    """A session as radius_accounting leaves it; the packets are tested elsewhere."""
    from apps.network.models import SessionLive

    return SessionLive.objects.create(
        session_key=uuid.uuid4(), account=account, nas=net.nas, login=account.login,
        acct_session_id=session, framed_address="192.0.2.2", started_at=started_at,
        seen_at=started_at, heard_at=started_at, stopped_at=stopped_at,
        start_received=True,
    )  # fmt: skip
