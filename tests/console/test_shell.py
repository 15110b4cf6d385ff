"""Each registered screen answers, keeps its permission, and says why not."""

import pytest

from dotmac.core.console import registry

pytestmark = pytest.mark.integration


def addresses():
    return [f"/console/{screen.slug}" for screen in registry_screens()]


def registry_screens():
    from dotmac.console.autodiscover import load_screens

    load_screens()
    shelves = (registry.lists, registry.pages, registry.forms)
    return [screen for shelf in shelves for screen in shelf.values()]


def test_a_stranger_is_sent_to_sign_in(client, db):
    answer = client.get("/console/jobs?state=failed")
    assert answer.status_code == 302
    assert (
        answer["Location"] == "/console/sign-in?next=%2Fconsole%2Fjobs%3Fstate%3Dfailed"
    )


def test_every_screen_answers_to_the_owner(world, enter_console):
    browser = enter_console(world.ada)
    for address in ["/console/", "/console/search?q=ada", *addresses()]:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
