"""The customer page: header on every tab, live session, usage, what may be seen."""

from datetime import timedelta

import pytest
from django.utils import timezone

pytestmark = pytest.mark.integration


@pytest.fixture
def line(world):
    from tests.console.lines import put_on_line

    return put_on_line(world, world.chidi, now=timezone.now())


def hub(browser, customer, query=""):
    answer = browser.get(f"/console/customers/{customer.pk}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_header_stays_on_every_tab(world, enter_console):
    from dotmac.core.console import registry
    from tests.console.screens import flat

    assert flat()
    browser, customer = enter_console(world.ada), world.chidi.customer
    for tab in registry.details["customers"].all_tabs():
        body = hub(browser, customer, f"?tab={tab.slug}")
        for fact in (customer.name, customer.reference, customer.phone):
            assert fact in body, (tab.slug, fact)


def test_the_live_session_shows_address_nas_and_usage(world, enter_console, line):
    body = hub(enter_console(world.ada), world.chidi.customer)
    for text in ("Online", "100.64.0.2", "ikeja-1", "41.0 GB", "View as table"):
        assert text in body, text
    assert f"/console/sessions/{line[1].pk}/disconnect" in body


def test_somebody_without_the_right_sees_no_session(world, enter_console, line):
    assert not world.bisi.actor.may("network.view_session")
    body = hub(enter_console(world.bisi), world.chidi.customer)
    assert "AA:BB:CC:00:11:22" not in body
    assert "tab=sessions" not in body


def test_a_silent_session_is_off_line_and_says_why(world, enter_console, line):
    from apps.network.models import SessionLive

    long_ago = timezone.now() - timedelta(hours=2)
    SessionLive.objects.update(heard_at=long_ago)
    body = hub(enter_console(world.ada), world.chidi.customer)
    assert "Offline" in body
    assert "The NAS fell silent." in body


def test_the_graph_s_numbers_are_bounded_and_scoped(world, enter_console, line):
    browser, customer = enter_console(world.ada), world.chidi.customer
    for query in ("", "?range=30d", "?range=nonsense"):
        answer = browser.get(f"/console/customers/{customer.pk}/series/usage{query}")
        columns = answer.json()["columns"]
        assert answer.status_code == 200
        assert len(columns) == 3
        assert 0 < len(columns[0]) <= 1000
        assert {len(column) for column in columns} == {len(columns[0])}
    stranger = enter_console(world.bisi)
    answer = stranger.get(f"/console/customers/{customer.pk}/series/usage")
    assert answer.status_code == 404
    unknown = browser.get(f"/console/customers/{customer.pk}/series/none")
    assert unknown.status_code == 404


def test_the_customer_of_another_unit_is_not_found(world, enter_console):
    browser = enter_console(world.remi)
    customer = world.chidi.customer
    assert browser.get(f"/console/customers/{customer.pk}").status_code == 404
    assert browser.get(f"/console/customers/{world.esi.customer.pk}").status_code == 200


def test_what_is_owed_stands_in_the_header_of_every_tab(world, enter_console):
    from apps.ops.selectors import business_date
    from tests.billing.owing import bill

    today = business_date(now=timezone.now())
    bill(world.chidi.customer, 1_500_000, due=today - timedelta(days=20))
    browser = enter_console(world.ada)
    for tab in ("overview", "audit"):
        body = hub(browser, world.chidi.customer, f"?tab={tab}")
        assert "15,000.00 NGN owed" in body
        assert "20 days" in body
    home = browser.get("/console/").content.decode()
    assert "Customers with an overdue bill" in home


@pytest.mark.unit
def test_downsampling_keeps_the_mean_and_the_gaps():
    from dotmac.core.console import downsample

    instants = [timezone.now() + timedelta(hours=n) for n in range(2500)]
    flat, holed = [4.0] * 2500, [None] * 2500
    kept, lines = downsample(instants, [flat, holed])
    assert len(kept) <= 1000
    assert set(lines[0]) == {4.0}
    assert set(lines[1]) == {None}
