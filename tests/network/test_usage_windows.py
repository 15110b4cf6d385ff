"""Days, weeks and months on a wall clock, and what accounts used in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.network.enums import UsageWindow
from apps.network.rules.windows import is_exact, window_bounds

LAGOS, BERLIN = ZoneInfo("Africa/Lagos"), ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
ZONES = (
    "Africa/Lagos", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
    "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC",
)  # fmt: skip


def at(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("window", "instant", "start", "end"),
    [
        ("day", "2026-11-27 00:00", "2026-11-27", "2026-11-28"),
        ("day", "2026-11-27 23:59:59.999999", "2026-11-27", "2026-11-28"),
        # 27 November 2026 is a Friday.
        ("week", "2026-11-27 12:00", "2026-11-23", "2026-11-30"),
        ("week", "2026-11-29 23:59", "2026-11-23", "2026-11-30"),
        ("week", "2026-11-30 00:00", "2026-11-30", "2026-12-07"),
        ("week", "2027-01-01 10:00", "2026-12-28", "2027-01-04"),
        ("month", "2026-11-27 12:00", "2026-11-01", "2026-12-01"),
        ("month", "2026-12-31 23:59", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29 00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_windows_follow_the_calendar(window, instant, start, end):
    bounds = window_bounds(UsageWindow(window), at(instant, LAGOS), LAGOS)

    assert bounds.start == at(start, LAGOS)
    assert bounds.end == at(end, LAGOS)


def test_an_instant_lies_in_another_day_elsewhere():
    instant = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)

    for window in UsageWindow:
        here = window_bounds(window, instant, LAGOS)
        assert here.start <= instant < here.end
        assert here.start == at("2026-12-01", LAGOS) or window == UsageWindow.WEEK
        assert window_bounds(window, instant, ZoneInfo("UTC")) != here


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        # Midnight is not there: the day begins at one.
        ("2026-04-24", "Africa/Cairo", 23),
        # Midnight is there twice: the day begins at the first.
        ("2026-11-01", "America/Havana", 25),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        ("2026-11-27", "Africa/Lagos", 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_makes_it(day, zone, hours):
    zone = ZoneInfo(zone)
    noon = at(f"{day} 12:00", zone)

    bounds = window_bounds(UsageWindow.DAY, noon, zone)

    assert bounds.end.astimezone(UTC) - bounds.start.astimezone(UTC) == hours * HOUR


def test_weeks_and_months_with_a_clock_change_are_an_hour_off():
    week = window_bounds(UsageWindow.WEEK, at("2026-03-25", BERLIN), BERLIN)
    month = window_bounds(UsageWindow.MONTH, at("2026-10-02", BERLIN), BERLIN)

    assert week.end - week.start == timedelta(days=7) - HOUR
    assert month.end - month.start == timedelta(days=31) + HOUR


@pytest.mark.parametrize(
    ("zone", "cut", "exact"),
    [
        ("Africa/Accra", "Africa/Lagos", True),
        ("Africa/Lagos", "Africa/Lagos", True),
        ("Asia/Kolkata", "Africa/Lagos", False),
        ("Africa/Lagos", "Asia/Kolkata", False),
        ("Asia/Kathmandu", "Asia/Kolkata", False),
        # Half past both.
        ("Asia/Colombo", "Asia/Kolkata", True),
    ],
)
def test_hours_fill_a_window_where_clocks_are_whole_hours_apart(zone, cut, exact):
    instant = datetime(2026, 11, 27, 12, tzinfo=UTC)
    for window in UsageWindow:
        bounds = window_bounds(window, instant, ZoneInfo(zone))
        assert is_exact(bounds, ZoneInfo(cut)) is exact


def test_one_end_that_is_off_is_enough():
    """Lord Howe's clock goes by half an hour: in winter it is whole hours apart."""
    zone, instant = ZoneInfo("Australia/Lord_Howe"), datetime(2026, 10, 2, tzinfo=UTC)
    winter = window_bounds(UsageWindow.DAY, datetime(2026, 7, 1, tzinfo=UTC), zone)
    month = window_bounds(UsageWindow.MONTH, instant, zone)

    assert not is_exact(winter, LAGOS)
    assert is_exact(window_bounds(UsageWindow.DAY, month.end, zone), LAGOS)
    assert not is_exact(month, LAGOS)


@given(
    instant=st.datetimes(
        min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - the zone follows
        max_value=datetime(2037, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    window=st.sampled_from(UsageWindow),
)
def test_every_instant_lies_in_one_window_and_windows_meet(instant, zone, window):
    bounds = window_bounds(window, instant, zone)

    assert bounds.start <= instant < bounds.end
    assert window_bounds(window, bounds.start, zone) == bounds
    assert window_bounds(window, bounds.end, zone).start == bounds.end


@pytest.mark.integration
class TestUsage:
    """Octets of the windows, from the rows of hours."""

    @pytest.fixture
    def used(self, db):
        from apps.network.models import UsageHour
        from dotmac.core.actors import system_actor
        from tests.network.conftest import acting, another_account, build_network

        net = build_network(acting(system_actor("test")))
        other = another_account(net, "other")

        def use(account, *hours: datetime) -> None:
            for octets, hour in enumerate(hours, start=1):
                UsageHour.objects.create(
                    account=account, hour_at=hour,
                    octets_in=10 ** (octets - 1), octets_out=2 * 10 ** (octets - 1),
                )  # fmt: skip

        return net.account, other, use

    def _sums(self, account, instant, zone) -> dict[str, tuple[int, int]]:
        from apps.network import selectors

        found = selectors.usage_windows([account.pk], at=instant, zone=zone)
        return {
            row.window.value: (row.octets_in, row.octets_out)
            for row in found[account.pk]
        }

    def test_each_hour_counts_where_it_begins(self, used):
        account, _other, use = used
        use(
            account,
            at("2026-11-27 00:00", LAGOS),
            at("2026-11-26 23:00", LAGOS),
            at("2026-11-23 00:00", LAGOS),
            at("2026-11-22 23:00", LAGOS),
            at("2026-11-01 00:00", LAGOS),
            at("2026-10-31 23:00", LAGOS),
            at("2026-11-28 00:00", LAGOS),
        )

        assert self._sums(account, at("2026-11-27 20:00", LAGOS), LAGOS) == {
            "day": (1, 2),
            "week": (1_000_111, 2_000_222),
            "month": (1_011_111, 2_022_222),
        }

    def test_an_hour_that_two_days_share_counts_to_the_one_before(self, used, settings):
        """Midnight of Kolkata is half past on the clock that cuts the hours."""
        settings.OPERATOR_ZONE = LAGOS
        account, _other, use = used
        kolkata = ZoneInfo("Asia/Kolkata")
        use(
            account,
            datetime(2026, 11, 26, 18, tzinfo=UTC),  # midnight is at 18:30
            datetime(2026, 11, 26, 19, tzinfo=UTC),
        )

        from apps.network import selectors

        found = selectors.usage_windows(
            [account.pk], at=at("2026-11-27 20:00", kolkata), zone=kolkata
        )[account.pk]
        assert [(row.octets_in, row.exact) for row in found] == [
            (10, False), (11, False), (11, False),
        ]  # fmt: skip

    def test_a_day_of_25_hours_counts_both_of_the_same_name(self, used):
        account, _other, use = used
        first, second = (
            datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 1)
        )  # 02:00 in summer's time, then in winter's
        use(account, first, second, datetime(2026, 10, 24, 21, tzinfo=UTC))

        sums = self._sums(account, at("2026-10-25 18:00", BERLIN), BERLIN)

        assert sums["day"] == (11, 22)
        assert sums["month"] == (111, 222)

    def test_accounts_are_kept_apart_and_none_is_left_out(self, used):
        from apps.network import selectors

        account, other, use = used
        use(account, at("2026-11-27 03:00", LAGOS))

        found = selectors.usage_windows(
            [other.pk, account.pk], at=at("2026-11-27 04:00", LAGOS), zone=LAGOS
        )

        assert [row.octets for row in found[account.pk]] == [3, 3, 3]
        assert [row.octets for row in found[other.pk]] == [0, 0, 0]
        assert selectors.usage_windows([], at=datetime.now(UTC), zone=LAGOS) == {}

    def test_is_one_statement(self, used, django_assert_num_queries):
        account, other, _use = used

        with django_assert_num_queries(1):
            from apps.network import selectors

            selectors.usage_windows(
                [account.pk, other.pk], at=datetime.now(UTC), zone=LAGOS
            )
