"""How a NAS does is gathered from what its packets left, and seen where people look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.models import AccessAttempt, NasHealth
from tests.network.conftest import acting, build_network, session_row
from tests.network.test_console import page
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor, now=timezone.now()))


@pytest.fixture
def browser(world):
    return enter(world.nuru)


def attempt(net, at, *, accepted=True, of=1, took_us=None):
    AccessAttempt.objects.create(
        decided_at=at, nas_id=net.nas.pk, login="ada@home", accepted=accepted,
        reason="open" if accepted else "password", sample_of=of, took_us=took_us,
    )  # fmt: skip


def measured(net, now):
    assert operations.measure_nas_health(now=now) == 1
    return NasHealth.objects.get(nas=net.nas)


def test_what_the_last_hour_brought_is_counted(net):
    now = timezone.now()
    assert measured(net, now).heard_at is None
    attempt(net, now - 10 * MINUTE)
    attempt(net, now - 20 * MINUTE, of=10)
    attempt(net, now - 30 * MINUTE, accepted=False, of=3)
    attempt(net, now - 61 * MINUTE, accepted=False)

    health = measured(net, now)

    assert (health.accepts, health.rejects) == (11, 3)
    assert health.heard_at == now - 10 * MINUTE
    later = measured(net, now + 2 * 60 * MINUTE)
    assert (later.accepts, later.rejects) == (0, 0)
    assert later.heard_at == now - 10 * MINUTE


def test_how_long_decisions_took_is_measured(net, browser):
    now = timezone.now()
    for took_us in (900, 1_000, 90_000, None):
        attempt(net, now - MINUTE, took_us=took_us)
    attempt(net, now - 61 * MINUTE, took_us=5)

    health = measured(net, now)

    assert (health.p50_us, health.p99_us) == (1_000, 90_000)
    shown = page(browser, f"nas/{net.nas.pk}")
    assert "1.0 ms" in shown
    assert "90.0 ms" in shown


def test_accounting_is_a_packet_as_well_and_no_clock_leads_into_the_future(net):
    now = timezone.now()
    attempt(net, now - 10 * MINUTE)
    session_row(net, net.account, started_at=now - 2 * MINUTE)
    assert measured(net, now).heard_at == now - 2 * MINUTE

    session_row(net, net.account, started_at=now + 60 * MINUTE, session="s2")
    assert measured(net, now).heard_at == now


def test_an_older_measurement_does_not_overwrite_a_newer_one(net):
    now = timezone.now()
    attempt(net, now - MINUTE)
    measured(net, now)

    assert operations.measure_nas_health(now=now - 30 * MINUTE) == 0
    assert NasHealth.objects.get().accepts == 1


@pytest.mark.parametrize(
    ("minutes", "silent"), [(5, False), (14, False), (16, True), (60 * 24 * 4, False)]
)
def test_a_silent_nas_is_seen_on_the_home_page_and_in_the_list(
    browser, net, minutes, silent
):
    NasHealth.objects.create(
        nas=net.nas, heard_at=timezone.now() - minutes * MINUTE,
        measured_at=timezone.now(),
    )  # fmt: skip

    assert ("no packet for 15 minutes" in page(browser, "")) is silent
    assert ("ikeja-1" in page(browser, "nas?health=silent")) is silent
    assert ("ikeja-1" in page(browser, "nas?health=others")) is not silent


def test_a_disabled_nas_is_no_alarm(browser, net):
    net.do.change_nas(nas_id=net.nas.pk, changes={"enabled": False})
    NasHealth.objects.create(
        nas=net.nas, heard_at=timezone.now() - 20 * MINUTE, measured_at=timezone.now()
    )

    assert "no packet for 15 minutes" not in page(browser, "")


def test_list_and_page_show_it_and_do_without(browser, net):
    assert "Last packet" in page(browser, "nas")
    assert "Last packet" in page(browser, f"nas/{net.nas.pk}")
    attempt(net, timezone.now() - MINUTE, of=4_321)

    assert tasks.measure_nas_health() == 1

    assert "4,321" in page(browser, "nas")
    assert "4,321" in page(browser, f"nas/{net.nas.pk}")


@pytest.mark.parametrize(
    ("address", "heard"),
    [("10.9.8.7", True), ("fd00::7", True), ("::1", True), ("192.0.2.7", False)],
)
def test_a_nas_that_nobody_listens_to_says_so(browser, net, address, heard):
    """By default RADIUS takes packets from private networks only."""
    nas = net.do.create_nas(name="elsewhere", address=address)

    for path in ("nas", f"nas/{nas.pk}"):
        assert ("RADIUS_NETWORKS" in page(browser, path)) is not heard
