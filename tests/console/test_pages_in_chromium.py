"""Every screen in a real browser: quiet, at home, and no wider than the phone."""

from datetime import date

import pytest

from tests.browser import PHONE, WIDE, chromium, site, visit, walk
from tests.world import SYSTEM

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]
ADMIN = ("", "identity/user/", "billing/dunningpolicy/1/change/")


@pytest.fixture
def ada(site):
    """Ada's cookies, and a few records for the detail screens to show."""
    from apps.ops import operations as ops
    from tests.console.records import make_records
    from tests.sessions import enter
    from tests.world import World

    world = World()
    make_records(world)
    ops.check_integrity(actor=SYSTEM, now=world.now)
    return {"sessionid": enter(world.ada).cookies["sessionid"].value}


def test_pages_that_we_did_not_write_are_quiet_too(visit, ada, settings):
    """The API's description and the admin site: only their width is their own."""
    settings.GATEWAY_MODE = "development"
    visitor = visit(ada)
    faults = {}
    for path in ("/api/docs", *(f"/admin/{name}" for name in ADMIN)):
        answer = visitor.open(path)
        if path == "/api/docs":
            # Of a long description it makes the first groups; the others come when
            # somebody scrolls there.
            visitor.page.get_by_text("/api/v1/access-rules").first.wait_for()
            visitor.page.locator("text=Schemas").first.scroll_into_view_if_needed()
            visitor.page.get_by_text("/api/v1/vrfs").first.wait_for()
        if answer.status != 200 or visitor.messages or visitor.outside:
            faults[path] = (answer.status, visitor.messages[:], visitor.outside[:])
        visitor.messages.clear()
        visitor.outside.clear()
    assert visitor.page.get_by_text("DotMac administration").first.is_visible()
    assert faults == {}


def test_each_screen_is_quiet_and_fits(visit, ada):
    from tests.console.records import addresses

    assert walk(visit(ada), addresses()) == {}


def test_search_opens_by_key_and_finds_while_typing(visit, ada):
    visitor = visit(ada)
    visitor.open("/console/")
    visitor.page.keyboard.press("/")
    visitor.page.keyboard.type("C-000001", delay=15)
    hit = visitor.page.locator("#search-hits a.dm-hit").first
    hit.wait_for()
    visitor.rest()
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/console/customers/1")
    assert visitor.faults() == []


def test_a_question_opens_as_a_dialog_and_escape_leaves(visit, ada):
    visitor = visit(ada)
    visitor.open("/console/jobs/1")
    visitor.page.get_by_role("link", name="Cancel").click()
    dialog = visitor.page.locator("dialog#dialog")
    dialog.wait_for(state="visible")
    assert dialog.get_by_role("button", name="Cancel").is_visible()
    visitor.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert visitor.faults() == []


def test_an_action_works_without_script(visit, ada):
    visitor = visit(ada, java_script_enabled=False)
    visitor.open("/console/jobs/1")
    visitor.page.get_by_role("link", name="Cancel").click()
    visitor.page.locator("#ask button.btn-danger").click()
    visitor.page.get_by_text("The job was asked to stop.").wait_for()
    assert visitor.faults() == []


def test_a_live_list_shows_what_changed_meanwhile(visit, ada):
    from django.utils import timezone

    from apps.ops import operations as ops

    visitor = visit(ada)
    visitor.open("/console/jobs/1")
    assert visitor.page.get_by_text("Queued").first.is_visible()
    ops.cancel_job(job_id=1, actor=SYSTEM, now=timezone.now())
    visitor.page.get_by_text("Cancelled").first.wait_for()
    assert visitor.faults() == []


def test_the_rail_opens_on_the_phone_and_escape_closes_it(visit, ada):
    visitor = visit(ada, PHONE)
    visitor.open("/console/")
    rail = visitor.page.locator("#rail")
    assert not rail.is_visible()
    visitor.page.get_by_role("button", name="Open navigation").click()
    rail.wait_for(state="visible")
    visitor.page.keyboard.press("Escape")
    rail.wait_for(state="hidden")
    assert visitor.faults() == []


def test_signing_in_by_the_doors_lands_at_home(visit, site):
    from tests.world import World

    person = World().ada
    visitor = visit()
    visitor.open("/console/jobs")
    visitor.page.get_by_label("Name or e-mail address").fill(person.username)
    visitor.page.get_by_label("Password").fill(person.password)
    visitor.page.get_by_role("button").click()
    visitor.page.get_by_role("textbox").fill(person.otp())
    visitor.page.get_by_role("button").click()
    visitor.page.wait_for_url("**/console/jobs")
    assert visitor.faults() == []


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_the_colours_turn_dark_with_the_system(visit, ada, width):
    visitor = visit(ada, width, color_scheme="dark")
    visitor.open("/console/jobs")
    theme = visitor.page.evaluate("document.documentElement.dataset.bsTheme")
    assert theme == "dark"
    assert visitor.faults() == []


def lines_of(locator):
    """Where each visible element begins, from the top, and how high it is."""
    boxes = [each.bounding_box() for each in locator.all() if each.is_visible()]
    return [(round(box["y"]), round(box["height"])) for box in boxes]


def test_what_belongs_in_one_line_stands_in_one(visit, ada):
    from apps.identity.models import Customer
    from tests.billing.owing import bill

    visitor = visit(ada)
    visitor.open("/console/customers/1")
    buttons = lines_of(visitor.page.locator(".dm-head-actions > *"))
    assert len(buttons) >= 4
    assert len({top for top, _ in buttons}) == 1
    visitor.open("/console/audit")
    assert max(high for _, high in lines_of(visitor.page.locator("td .dm-why"))) < 32

    bill(Customer.objects.get(pk=1), 1_500_000, due=date(2026, 11, 3))
    phone = visit(ada, PHONE)
    phone.open("/console/")
    labels = lines_of(phone.page.locator(".dm-bars th"))
    assert len(labels) >= 4
    assert max(high for _, high in labels) < 32
    phone.open("/console/sessions")
    button = phone.page.locator(".dm-row-actions .btn").first
    assert button.evaluate("each => getComputedStyle(each).alignItems") == "center"
    assert phone.faults() == []
