"""Each registered screen answers, keeps its permission, and says why not."""

import pytest

from dotmac.core.permissions import is_declared

pytestmark = pytest.mark.integration
STAFF = ("ada", "bisi", "nuru", "sola", "femi", "mina")


def test_a_stranger_is_sent_to_sign_in(client, db):
    answer = client.get("/console/jobs?state=failed")
    assert answer.status_code == 302
    target = "/console/sign-in?next=%2Fconsole%2Fjobs%3Fstate%3Dfailed"
    assert answer["Location"] == target


def test_a_stranger_in_the_background_is_told_to_go_there(client, db):
    answer = client.get("/console/jobs?fragment=1", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/console/sign-in?next=")


def test_a_customer_has_no_console(world, enter_console):
    assert enter_console(world.chidi).get("/console/").status_code == 302


def test_every_screen_answers_to_the_owner(world, enter_console):
    from tests.console.screens import flat

    browser = enter_console(world.ada)
    addresses = [f"/console/{screen.slug}" for screen in flat()]
    for address in ["/console/", "/console/search?q=ada", *addresses]:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)


@pytest.mark.security
@pytest.mark.parametrize("name", STAFF)
def test_each_screen_keeps_its_permission(world, enter_console, name):
    from tests.console.screens import flat

    person = getattr(world, name)
    browser, actor = enter_console(person), person.actor
    for screen in flat():
        expected = 200 if actor.may(screen.permission) else 403
        answer = browser.get(f"/console/{screen.slug}")
        assert answer.status_code == expected, (name, screen.slug)


@pytest.mark.security
def test_a_refusal_names_the_permission_and_the_request(world, enter_console):
    from tests.console.screens import flat

    person = world.bisi
    closed = [s for s in flat() if not person.actor.may(s.permission)]
    answer = enter_console(person).get(f"/console/{closed[0].slug}")
    body = answer.content.decode()
    assert closed[0].permission in body
    assert answer["X-Request-ID"] in body


@pytest.mark.security
@pytest.mark.parametrize("name", STAFF)
def test_each_action_keeps_its_permission(world, enter_console, name):
    """An action on a row that is not there: refused before it is looked for."""
    from dotmac.core.console import registry
    from tests.console.screens import flat

    assert flat()
    person = getattr(world, name)
    browser, actor = enter_console(person), person.actor
    for slug, screen in sorted(registry.details.items()):
        for action in screen.all_actions():
            assert is_declared(action.permission)
            answer = browser.post(f"/console/{slug}/999999999/{action.slug}")
            expected = 404 if actor.may(action.permission) else 403
            assert answer.status_code == expected, (name, slug, action.slug)


def test_the_rail_shows_only_what_may_be_opened(world, enter_console):
    from tests.console.screens import lists

    person = world.bisi
    body = enter_console(person).get("/console/").content.decode()
    for screen in lists():
        if screen.menu is None:
            continue
        shown = f'href="/console/{screen.slug}"' in body
        assert shown == person.actor.may(screen.permission), screen.slug


def test_an_unknown_screen_record_or_tab_is_not_found(world, enter_console):
    browser = enter_console(world.ada)
    for path in ("nothing", "jobs/999999999", "jobs/" + "9" * 30, "jobs/1/explode"):
        assert browser.get(f"/console/{path}").status_code == 404, path


def test_a_changing_action_is_never_a_get(world, enter_console):
    from apps.ops import operations as ops
    from apps.ops.models import Job
    from dotmac.core.refs import SubjectRef
    from tests.world import SYSTEM

    job = ops.start_job(
        kind="test.work",
        subject=SubjectRef("ops", "job", 1),
        actor=SYSTEM,
        now=world.now,
    )
    browser = enter_console(world.ada)

    asked = browser.get(f"/console/jobs/{job.pk}/cancel")
    assert asked.status_code == 200
    assert Job.objects.get(pk=job.pk).state == "queued"

    done = browser.post(f"/console/jobs/{job.pk}/cancel", follow=True)
    assert done.status_code == 200
    assert "asked to stop" in done.content.decode()
    assert Job.objects.get(pk=job.pk).state == "cancelled"

    again = browser.post(f"/console/jobs/{job.pk}/cancel", follow=True)
    assert "Nothing was changed." in again.content.decode()


def test_a_dialog_is_told_where_to_go(world, enter_console):
    from apps.ops import operations as ops
    from dotmac.core.refs import SubjectRef
    from tests.world import SYSTEM

    job = ops.start_job(
        kind="test.work",
        subject=SubjectRef("ops", "job", 1),
        actor=SYSTEM,
        now=world.now,
    )
    answer = enter_console(world.ada).post(
        f"/console/jobs/{job.pk}/cancel", headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"/console/jobs/{job.pk}"


@pytest.mark.security
def test_headers_forbid_everything_from_elsewhere(client, db):
    answer = client.get("/console/sign-in")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.security
def test_a_page_that_was_forged_is_refused_in_words(world, enter_console):
    from django.test import Client

    browser = enter_console(world.ada)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    answer = strict.post("/console/business-date", {"day": "2030-01-01"})
    assert answer.status_code == 403
    assert "too old to be sent" in answer.content.decode()
