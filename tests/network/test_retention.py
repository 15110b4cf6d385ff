"""Sessions, usage and requests to NASes are forgotten after their time, not before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.models import CoaRequest, SessionHistory, SessionLive, UsageHour
from dotmac.core.actors import system_actor
from tests.network.conftest import acting, another_account, build_network, session_row

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]

NOW = timezone.now()
YEARS = timedelta(days=3 * 366)


@pytest.fixture
def net():
    return build_network(acting(system_actor("test")))


def past(net, ago: timedelta, *, heard: timedelta | None = None) -> int:
    """A session that ended so long ago, in the history."""
    began = NOW - ago
    row = session_row(net, net.account, started_at=began, stopped_at=began)
    while operations.archive_sessions(now=NOW):
        pass
    if heard is not None:
        SessionHistory.objects.filter(pk=row.pk).update(heard_at=NOW - heard)
    number: int = row.pk
    return number


def forget(before: datetime, **limit: int) -> list[int]:
    """What each call says until nothing is left."""
    done = []
    while gone := operations.forget_sessions(before=before, **limit):
        done.append(gone)
    return done


def months() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'network_sessionhistory'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


def month_of(ago: timedelta) -> str:
    return f"network_sessionhistory_{NOW - ago:%Y%m}"


def test_whole_months_go_and_what_is_younger_stays(net):
    past(net, YEARS)
    young = past(net, timedelta(days=300))

    assert forget(NOW - timedelta(days=730))

    assert list(SessionHistory.objects.values_list("pk", flat=True)) == [young]
    assert month_of(YEARS) not in months()
    assert month_of(timedelta(days=300)) in months()
    assert forget(NOW - timedelta(days=730)) == []


def test_a_month_in_which_the_bound_lies_stays(net):
    kept = past(net, timedelta(days=100))

    assert forget(NOW - timedelta(days=100) + timedelta(seconds=1)) == []

    assert SessionHistory.objects.get().pk == kept


def test_of_a_month_with_a_session_of_years_only_the_others_go(net):
    long_one = past(net, YEARS, heard=timedelta(days=2))
    for _ in range(3):
        past(net, YEARS)

    assert forget(NOW - timedelta(days=730), limit=2)[-2:] == [2, 1]

    assert SessionHistory.objects.get().pk == long_one


def test_a_session_that_still_runs_is_not_touched(net):
    row = session_row(net, net.account, started_at=NOW - YEARS)

    forget(NOW - timedelta(days=730))

    assert SessionLive.objects.get().pk == row.pk


def test_the_database_refuses_to_forget_what_was_yesterday(net):
    young = past(net, timedelta(days=3))

    with (
        pytest.raises(ProgrammingError, match="a month at least"),
        transaction.atomic(),
    ):
        operations.forget_sessions(before=NOW)

    assert SessionHistory.objects.get().pk == young


def test_nobody_waits_behind_it_where_the_history_is_read(net):
    old = past(net, YEARS)

    with transaction.atomic(using="owner"), connections["owner"].cursor() as reader:
        reader.execute("SELECT count(*) FROM network_sessionhistory")
        started = timezone.now()
        assert operations.forget_sessions(before=NOW - timedelta(days=730)) == 0
        assert timezone.now() - started < timedelta(seconds=3)

    assert SessionHistory.objects.get().pk == old
    assert forget(NOW - timedelta(days=730))
    assert not SessionHistory.objects.exists()


def test_hours_of_usage_go_account_by_account(net):
    other = another_account(net, "other")
    for account in (net.account, other):
        for days in (800, 799, 10):
            UsageHour.objects.create(
                account=account, hour_at=NOW - timedelta(days=days), octets_in=1
            )
    bound = NOW - timedelta(days=730)

    gone, last = operations.forget_usage(before=bound, limit=3)
    assert gone == 3
    gone, last = operations.forget_usage(before=bound)
    assert (gone, last) == (1, max(net.account.pk, other.pk))
    assert operations.forget_usage(before=bound, after_account=last) == (0, 0)

    assert UsageHour.objects.count() == 2
    assert UsageHour.objects.filter(hour_at__lt=bound).count() == 0


def test_what_a_nas_was_asked_goes_once_it_is_settled(net):
    for state in ("acknowledged", "queued"):
        CoaRequest.objects.create(
            account=net.account, nas=net.nas, session_id=1, generation=1,
            session_key="00000000-0000-0000-0000-000000000001", login="x",
            acct_session_id="s", kind="coa", state=state, not_before=NOW,
        )  # fmt: skip
    CoaRequest.objects.update(
        created_at=NOW - timedelta(days=91), updated_at=NOW - timedelta(days=91)
    )
    settled_late = CoaRequest.objects.create(
        account=net.account, nas=net.nas, session_id=2, generation=1,
        session_key="00000000-0000-0000-0000-000000000002", login="x",
        acct_session_id="s", kind="coa", state="silent", not_before=NOW,
    )  # fmt: skip
    CoaRequest.objects.filter(pk=settled_late.pk).update(
        created_at=NOW - timedelta(days=91)
    )

    assert operations.forget_coa_requests(before=NOW - timedelta(days=90)) == 1

    left = set(CoaRequest.objects.values_list("state", flat=True))
    assert left == {"queued", "silent"}


def test_the_task_keeps_as_long_as_the_settings_say(net, settings):
    settings.NETWORK_KEEP_SESSIONS_MONTHS = settings.NETWORK_KEEP_USAGE_MONTHS = 12
    past(net, timedelta(days=500))
    young = past(net, timedelta(days=330))
    for days in (500, 330):
        UsageHour.objects.create(
            account=net.account, hour_at=NOW - timedelta(days=days), octets_in=days
        )

    assert tasks.forget_sessions() >= 2
    assert tasks.forget_sessions() == 0

    assert SessionHistory.objects.get().pk == young
    assert UsageHour.objects.get().octets_in == 330


def test_settings_that_would_forget_at_once_are_refused(monkeypatch):
    from django.core.exceptions import ImproperlyConfigured

    from dotmac.settings import env

    monkeypatch.setenv("NETWORK_KEEP_SESSIONS_MONTHS", "1")

    with pytest.raises(ImproperlyConfigured, match="2 at least"):
        env.number("NETWORK_KEEP_SESSIONS_MONTHS", 24, least=2)
