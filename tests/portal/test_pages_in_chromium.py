"""The portal on a phone and on a desk: quiet, light, and whole without script."""

import gzip
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from tests.browser import PHONE, WIDE, chromium, site, visit

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]
WEIGHT_MAX = 120 * 1024


@pytest.fixture
def chidi(site):
    """Chidi's cookies: on line, with a paid and an overdue bill."""
    from tests.billing.owing import bill, pay
    from tests.console.lines import put_on_line
    from tests.sessions import enter
    from tests.world import World

    world = World()
    person = world.chidi
    put_on_line(world, person, now=timezone.now())
    bill(person.customer, 1_250_000, due=date(2026, 9, 15))
    pay(person.customer, 1_250_000)
    bill(person.customer, 1_500_000, due=date(2026, 11, 3))
    browser = enter(person, face="portal", key="portal_sid")
    return {"sessionid": browser.cookies["sessionid"].value}


def places(visitor):
    """The bar's places, the first bill, and the usage page."""
    visitor.open("/portal/")
    links = visitor.page.locator(".pt-nav a, a[href^='/portal/bills/']")
    found = [link.get_attribute("href") for link in links.all()]
    personal = ("account", "papers", "your-data", "profile", "security", "devices")
    own = [f"/portal/{name}" for name in (*personal, "people")]
    return list(dict.fromkeys([*found, "/portal/usage", "/portal/pay", *own]))


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_each_page_is_quiet_and_fits(visit, chidi, width, script):
    visitor = visit(chidi, width, java_script_enabled=script)
    faults = {}
    for path in places(visitor):
        answer = visitor.open(path)
        found = visitor.messages + visitor.outside
        if script and visitor.overflow():
            found = [*found, visitor.overflow()]
        if answer.status != 200 or found:
            faults[path] = (answer.status, found)
    assert faults == {}


def test_what_is_owed_and_the_way_to_pay_stand_on_top(visit, chidi):
    visitor = visit(chidi, PHONE)
    visitor.open("/portal/")
    assert visitor.page.get_by_text("15,000.00").first.is_visible()
    pay = visitor.page.get_by_role("link", name="Pay now")
    box = pay.bounding_box()
    assert box["height"] >= 44
    assert box["y"] + box["height"] < 844
    assert visitor.faults() == []


_SCALE = """() => { const plot = document.querySelector("figure.dm-chart").dotmacPlot;
return [plot.scales.x.min, plot.scales.x.max, plot.data[0]]; }"""


def test_a_single_hour_is_drawn_in_its_own_time(visit, site):
    """A new line has one hour, which an axis of years would hide."""
    from tests.console.lines import put_on_line
    from tests.sessions import enter
    from tests.world import World

    world = World()
    put_on_line(world, world.chidi, now=timezone.now(), hours=1)
    browser = enter(world.chidi, face="portal", key="portal_sid")
    visitor = visit({"sessionid": browser.cookies["sessionid"].value}, PHONE)
    visitor.open("/portal/usage")
    low, high, hours = visitor.page.evaluate(_SCALE)
    assert len(hours) in {1, 2}
    assert low <= hours[0] <= hours[-1] <= high
    assert 0 < high - low <= 7 * 3600
    assert visitor.faults() == []


def test_the_first_visit_is_light(visit, chidi):
    """All that home asks for, compressed, is at most 120 KB."""
    visitor = visit(chidi, PHONE)
    bodies: dict[str, Any] = {}
    visitor.page.on(
        "response", lambda answer: bodies.setdefault(urlsplit(answer.url).path, answer)
    )
    visitor.open("/portal/")
    visitor.page.wait_for_load_state("networkidle")
    # A list: asking for a body lets late answers come in.
    sizes = {path: len(gzip.compress(a.body())) for path, a in list(bodies.items())}
    assert "/static/vendor/bootstrap.min.css" in sizes
    assert sum(sizes.values()) <= WEIGHT_MAX, sizes


def test_targets_on_the_phone_are_large_enough(visit, chidi):
    visitor = visit(chidi, PHONE)
    visitor.open("/portal/")
    links = visitor.page.locator(".pt-nav a, .btn, .pt-account > summary").all()
    small = [
        link.inner_text()
        for link in links
        if link.is_visible() and link.bounding_box()["height"] < 44
    ]
    assert small == []


def test_signing_in_and_out_without_script(visit, site):
    from tests.world import World

    person = World().chidi
    visitor = visit({}, PHONE, java_script_enabled=False)
    visitor.open("/portal/")
    visitor.page.get_by_label("Name or e-mail address").fill(person.username)
    visitor.page.get_by_label("Password").fill(person.password)
    visitor.page.locator("main form button").click()
    visitor.page.wait_for_url("**/portal/")
    hello = visitor.page.get_by_role("heading", name=person.customer.name)
    assert hello.is_visible()
    visitor.page.locator(".pt-account > summary").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.wait_for_url("**/portal/sign-in*")
    assert visitor.messages + visitor.outside == []
