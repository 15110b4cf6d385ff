"""The business date in the header of a demonstration, and nowhere else."""

from datetime import timedelta

import pytest
from django.utils import timezone

pytestmark = pytest.mark.integration


def today():
    from apps.ops.selectors import business_date

    return business_date(now=timezone.now())


def test_moves_forward_and_says_so(world, enter_console, settings):
    settings.DEMO = True
    day = today() + timedelta(days=30)
    browser = enter_console(world.ada)
    answer = browser.post(
        "/console/business-date",
        {"day": day.isoformat(), "back": "/console/jobs"},
        follow=True,
    )
    assert answer.redirect_chain[-1][0] == "/console/jobs"
    assert f"The business date is now {day.isoformat()}." in answer.content.decode()
    assert today() == day


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "1999-01-01"])
def test_a_day_that_cannot_be_is_refused_in_words(world, enter_console, settings, text):
    settings.DEMO = True
    before = today()
    answer = enter_console(world.ada).post(
        "/console/business-date", {"day": text}, follow=True
    )
    assert "Nothing was changed." in answer.content.decode()
    assert today() == before


@pytest.mark.security
def test_there_is_no_such_thing_outside_demonstrations(world, enter_console, settings):
    settings.DEMO = False
    browser = enter_console(world.ada)
    assert "Business date" not in browser.get("/console/").content.decode()
    answer = browser.post("/console/business-date", {"day": "2030-01-01"})
    assert answer.status_code == 404


@pytest.mark.security
def test_a_role_without_the_right_sees_the_date_and_may_not_move_it(
    world, enter_console, settings
):
    settings.DEMO = True
    person = world.sola
    assert not person.actor.may("ops.set_business_date")
    browser = enter_console(person)
    assert "Your role may not move it." in browser.get("/console/").content.decode()
    answer = browser.post("/console/business-date", {"day": "2030-01-01"})
    assert answer.status_code == 403


@pytest.mark.security
@pytest.mark.parametrize("back", ["//evil.example", "/console/\\evil", "https://x"])
def test_never_leads_to_another_site(world, enter_console, settings, back):
    settings.DEMO = True
    answer = enter_console(world.ada).post(
        "/console/business-date", {"day": today().isoformat(), "back": back}
    )
    assert answer["Location"] == "/console/"
