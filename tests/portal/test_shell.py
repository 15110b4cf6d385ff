"""The portal's frame: whose account, which places, nothing of others."""

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def enter_portal():
    from tests.sessions import enter

    return lambda person: enter(person, face="portal", key="portal_sid")


def test_a_stranger_is_sent_to_sign_in(client, db):
    answer = client.get("/portal/help")
    assert answer.status_code == 302
    assert answer["Location"] == "/portal/sign-in?next=%2Fportal%2Fhelp"


def test_home_greets_the_customer_and_nobody_else(world, enter_portal):
    answer = enter_portal(world.chidi).get("/portal/")
    assert answer.status_code == 200
    assert world.chidi.customer.name in answer.content.decode()
    assert world.dayo.customer.name not in answer.content.decode()


def test_nobody_may_choose_a_customer_of_somebody_else(world, enter_portal):
    browser = enter_portal(world.chidi)
    answer = browser.post("/portal/choose", {"customer": world.esi.customer.pk})
    assert answer.status_code == 404


def test_staff_have_no_portal(world):
    from tests.sessions import enter

    answer = enter(world.ada).get("/portal/")
    assert answer.status_code == 302


def test_an_unknown_graph_is_not_found(world, enter_portal):
    assert enter_portal(world.chidi).get("/portal/series/none").status_code == 404


def test_home_shows_today_s_usage_with_a_graph_and_a_table(world, enter_portal):
    from django.utils import timezone

    from tests.console.lines import put_on_line

    put_on_line(world, world.chidi, now=timezone.now())
    body = enter_portal(world.chidi).get("/portal/").content.decode()
    assert "Usage today" in body
    assert "View as table" in body
    other = enter_portal(world.dayo).get("/portal/").content.decode()
    assert "Usage today" not in other


def test_the_graph_s_numbers_are_the_customer_s_own(world, enter_portal):
    from django.utils import timezone

    from tests.console.lines import put_on_line

    put_on_line(world, world.chidi, now=timezone.now())
    mine = enter_portal(world.chidi).get("/portal/series/usage?range=7d").json()
    assert 0 < len(mine["columns"][0]) <= 1000
    theirs = enter_portal(world.dayo).get("/portal/series/usage").json()
    assert theirs["columns"] == [[]]


@pytest.mark.parametrize("range_", ["24h", "7d", "30d", "nonsense"])
def test_the_usage_page_takes_any_range(world, enter_portal, range_):
    answer = enter_portal(world.chidi).get(f"/portal/usage?range={range_}")
    assert answer.status_code == 200
    assert "Nothing was counted in this time." in answer.content.decode()


def zone_where_it_is(hour, now):
    """The whole-hour zone in which the clock shows this hour."""
    ahead = (hour - now.hour + 11) % 24 - 11  # -11 to 12
    return f"Etc/GMT{-ahead:+d}"


def test_usage_is_by_the_clock_of_the_customers_branch(world, enter_portal):
    from django.utils import timezone

    from apps.identity import operations as identity
    from apps.network.models import UsageHour
    from tests.console.lines import HOUR, put_on_line
    from tests.world import SYSTEM

    now = timezone.now()
    service, _session = put_on_line(world, world.chidi, now=now, hours=0)
    top = now.replace(minute=0, second=0, microsecond=0)
    for back, octets in ((0, 11_000_000), (1, 22_000_000)):
        UsageHour.objects.create(
            account_id=service.access_id, hour_at=top - HOUR * back,
            octets_in=octets, octets_out=3 * octets,
        )  # fmt: skip
    browser = enter_portal(world.chidi)

    def shown(hour):
        """Down and up of today: on the card of home, and on the page."""
        zone = zone_where_it_is(hour, now)
        identity.change_unit(
            unit_id=world.operator.pk, time_zone=zone, actor=SYSTEM, now=now
        )
        home = "".join(browser.get("/portal/").context["cards"])
        page = browser.get("/portal/usage")
        assert f"Days begin at midnight in {zone}" in page.content.decode()
        assert "Hours are counted" not in page.content.decode()
        return home, dict(page.context["windows"])

    home, noon = shown(12)
    assert "<strong>99.0 MB</strong>" in home
    assert (noon["Today"].down, noon["Today"].up) == (99_000_000, 33_000_000)
    assert (noon["This week"].down, noon["This month"].up) == (99_000_000, 33_000_000)
    home, midnight = shown(0)
    assert "<strong>33.0 MB</strong>" in home
    assert (midnight["Today"].down, midnight["Today"].up) == (33_000_000, 11_000_000)
    other = enter_portal(world.dayo).get("/portal/usage").content.decode()
    assert "So far" not in other


def test_a_clock_half_an_hour_off_says_so(world, enter_portal):
    from django.utils import timezone

    from apps.identity import operations as identity
    from tests.console.lines import put_on_line
    from tests.world import NOON, SYSTEM

    put_on_line(world, world.chidi, now=timezone.now(), hours=1)
    identity.change_unit(
        unit_id=world.operator.pk, time_zone="Asia/Kolkata", actor=SYSTEM, now=NOON
    )
    page = enter_portal(world.chidi).get("/portal/usage").content.decode()
    assert "Days begin at midnight in Asia/Kolkata" in page
    assert "Hours are counted on the clock of Africa/Lagos" in page
