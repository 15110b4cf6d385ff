"""A file goes in through the dialog, and out again, in a real browser."""

import pytest

from tests.browser import PHONE, chromium, site, visit
from tests.identity.papers import A_PDF

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]


@pytest.fixture
def cast(site):
    from tests.sessions import enter
    from tests.world import World

    world = World()
    phone = enter(world.chidi, face="portal", key="portal_sid")
    return {
        "customer": world.chidi.customer,
        "console": {"sessionid": enter(world.sola).cookies["sessionid"].value},
        "portal": {"sessionid": phone.cookies["sessionid"].value},
    }


def file_of(name):
    return {"name": name, "mimeType": "application/pdf", "buffer": A_PDF}


def test_staff_keep_and_download_a_document(visit, cast):
    visitor = visit(cast["console"])
    page = visitor.page
    visitor.open(f"/console/customers/{cast['customer'].pk}")
    page.locator("summary[aria-label='More actions']").click()
    page.get_by_role("link", name="Add document").click()
    dialog = page.locator("dialog#dialog")
    dialog.wait_for(state="visible")
    dialog.locator("input[type=file]").set_input_files(file_of("contract.pdf"))
    dialog.get_by_role("button", name="Keep it").click()
    page.wait_for_url("**?tab=documents")
    page.get_by_role("link", name="contract.pdf").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    assert caught.value.suggested_filename == "contract.pdf"
    assert caught.value.path().read_bytes() == A_PDF
    assert visitor.faults() == []


def test_a_customer_sends_and_takes_back(visit, cast):
    visitor = visit(cast["portal"], PHONE)
    page = visitor.page
    visitor.open("/portal/papers")
    page.locator("input[type=file]").set_input_files(file_of("me.pdf"))
    page.get_by_role("button", name="Send").click()
    page.get_by_text("We have it.").wait_for()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download me.pdf").click()
    assert caught.value.path().read_bytes() == A_PDF
    assert visitor.faults() == []
