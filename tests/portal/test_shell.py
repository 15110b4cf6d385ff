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
