"""The two figures of the home page, each defined once."""

from datetime import date

import pytest

pytestmark = pytest.mark.integration


def test_sessions_on_line_counts_what_was_heard_of_lately(world):
    from datetime import timedelta

    from django.utils import timezone

    from apps.analytics import selectors
    from apps.network.models import SessionLive
    from tests.console.lines import put_on_line

    now = timezone.now()
    _service, silent = put_on_line(world, world.chidi, now=now)
    put_on_line(world, world.dayo, now=now)
    assert selectors.ONLINE_SESSIONS.read(now=now) == 2

    SessionLive.objects.filter(pk=silent.pk).update(heard_at=now - timedelta(hours=3))
    assert selectors.ONLINE_SESSIONS.read(now=now) == 1


def test_usage_is_that_of_the_customers_own_lines(world):
    from datetime import timedelta

    from django.utils import timezone

    from apps.analytics import selectors
    from apps.network.models import UsageHour
    from tests.console.lines import put_on_line

    now = timezone.now()
    mine, _session = put_on_line(world, world.chidi, now=now, hours=2)
    put_on_line(world, world.dayo, now=now, hours=2)

    accounts = selectors.account_ids_of(world.chidi.customer.pk)

    assert accounts == [mine.access_id]
    used = selectors.usage_of(accounts, now - timedelta(hours=3), now)
    hours = UsageHour.objects.filter(account_id=mine.access_id)
    assert used.down == sum(hour.octets_out for hour in hours) > 0
    assert used.up == sum(hour.octets_in for hour in hours) > 0


def test_nothing_is_owed_on_a_new_installation(world):
    from apps.analytics import selectors

    assert list(selectors.RECEIVABLES_BY_AGE.read(today=date(2026, 11, 23))) == []


def test_each_figure_names_a_declared_permission(db):
    from apps.analytics import selectors
    from dotmac.core.permissions import is_declared

    for name, metric in selectors.metrics().items():
        assert metric.name == name
        assert is_declared(metric.permission)


def test_home_shows_a_figure_only_to_those_who_may_know(world):
    from tests.sessions import enter

    home = enter(world.ada).get("/console/").content.decode()
    assert "Sessions on line" in home
    assert "Nothing is owed: no bill is open." in home

    clerk = enter(world.bisi).get("/console/").content.decode()
    assert "dm-figure-value" not in clerk
    assert "Receivables by age" in clerk

    engineer = enter(world.nuru).get("/console/").content.decode()
    assert "Sessions on line" in engineer
    assert "Receivables by age" not in engineer
