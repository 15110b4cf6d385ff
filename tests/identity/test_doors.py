"""Signing in by browser: console, enrolment by invitation, portal, admin."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.models import Session
from tests.world import STEP_S, SYSTEM, code_at

pytestmark = pytest.mark.django_db


def submit(browser, path, **values):
    return browser.post(path, values)


def test_asks_staff_for_password_then_code(world):
    browser = Client()

    page = browser.get("/console/sign-in?next=/console/customers")
    assert page.status_code == 200
    answer = submit(
        browser,
        "/console/sign-in?next=/console/customers",
        username="Ada",
        password=world.ada.password,
    )
    assert answer["Location"] == "/console/sign-in/code?next=%2Fconsole%2Fcustomers"
    # The password alone opens nothing.
    assert browser.get("/console/")["Location"].startswith("/console/sign-in?")
    assert browser.get("/admin/")["Location"].startswith("/admin/login/")
    assert browser.get(answer["Location"]).status_code == 200
    answer = submit(browser, answer["Location"], otp=world.ada.otp())

    assert answer["Location"] == "/console/customers"
    assert browser.get("/console/").status_code == 200
    # Who is in already is sent on.
    assert browser.get("/console/sign-in")["Location"] == "/console/"
    assert browser.get("/console/sign-in/code")["Location"] == "/console/"


def test_the_cookie_changes_with_each_step_and_holds_one_number(world):
    browser = Client()
    browser.get("/console/sign-in")
    submit(browser, "/console/sign-in", username="ada", password=world.ada.password)
    before = browser.cookies["sessionid"].value
    submit(browser, "/console/sign-in/code", otp=world.ada.otp())

    assert browser.cookies["sessionid"].value != before
    assert dict(browser.session) == {"console_sid": Session.objects.latest("pk").pk}
    assert browser.cookies["sessionid"]["httponly"]


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "wrong"), ("nobody", "wrong"), ("chidi", None)],
    ids=["wrong password", "unknown name", "a customer at the staff's door"],
)
def test_refuses_alike_at_the_console(world, username, password):
    assert world.ada
    assert world.chidi
    browser = Client()

    page = submit(
        browser,
        "/console/sign-in",
        username=username,
        password=password or world.chidi.password,
    )

    assert page.status_code == 401
    assert b"The name or the password is wrong." in page.content
    assert "console_sid" not in browser.session


def test_shows_what_is_missing_in_the_form(world):
    page = submit(Client(), "/console/sign-in", username="", password="x")

    assert page.status_code == 400


def test_refuses_a_wrong_code_and_a_spent_one(world):
    browser, code = Client(), world.ada.otp()
    submit(browser, "/console/sign-in", username="ada", password=world.ada.password)
    wrong = submit(browser, "/console/sign-in/code", otp="000000")
    assert wrong.status_code == 401
    assert submit(browser, "/console/sign-in/code", otp="").status_code == 400
    submit(browser, "/console/sign-in/code", otp=code)

    second = Client()
    submit(second, "/console/sign-in", username="ada", password=world.ada.password)
    spent = submit(second, "/console/sign-in/code", otp=code)
    assert spent.status_code == 401
    assert 1 <= int(spent["Retry-After"]) <= 3 * STEP_S
    assert second.get("/console/").status_code == 302


def test_the_code_page_needs_a_password_first(world):
    answer = Client().get("/console/sign-in/code")

    assert answer["Location"] == "/console/sign-in?next=%2Fconsole%2F"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/portal/", "javascript:alert(1)", ""],
)
def test_leads_nowhere_else_after_sign_in(world, target):
    browser = world.console(world.bisi)

    answer = browser.get("/console/sign-in", {"next": target})

    assert answer["Location"] == "/console/"


def test_signs_out_by_post_only(world):
    browser = world.console(world.ada)

    assert browser.get("/console/sign-out").status_code == 405
    assert browser.post("/console/sign-out")["Location"] == "/console/sign-in"

    assert Session.objects.latest("pk").end_reason == "signed_out"
    assert browser.get("/console/").status_code == 302
    assert browser.post("/console/sign-out").status_code == 302


def test_a_session_that_ended_elsewhere_is_over_at_once(world):
    browser = world.console(world.ada)
    identity.end_session(session_id=browser.session["console_sid"], now=timezone.now())

    assert browser.get("/console/").status_code == 302


def test_comes_in_by_a_one_time_link(world):
    now = timezone.now()
    user = identity.create_staff(
        username="tayo",
        email="tayo@demo-isp.example",
        name="Tayo",
        role_slug="support",
        actor=SYSTEM,
        now=now,
    )
    link = identity.invite_staff(user_id=user.pk, actor=SYSTEM, now=now)
    browser = Client()

    assert b"tayo" in browser.get(link.path).content
    differ = submit(browser, link.path, password="nine long bridges", again="x")
    assert differ.status_code == 400
    weak = submit(browser, link.path, password="short", again="short")
    assert weak.status_code == 400
    good = "nine bridges over the lagoon"
    answer = submit(browser, link.path, password=good, again=good)
    assert answer["Location"] == "/console/enrolment"

    # The link is spent; the session may do nothing but enrol.
    assert Client().get(link.path).status_code == 404
    assert browser.get("/console/").status_code == 302
    page = browser.get("/console/enrolment")
    assert b"data:image/svg+xml" in page.content
    assert b"style=" not in page.content
    [secret] = re.findall(r"<code>([A-Z2-7]{32})</code>", page.content.decode())
    assert secret.encode() in browser.get("/console/enrolment").content
    wrong = submit(browser, "/console/enrolment", otp="abcdef")
    assert wrong.status_code == 401
    step = int(timezone.now().timestamp()) // STEP_S
    done = submit(browser, "/console/enrolment", otp=code_at(secret, step))
    assert done["Location"] == "/console/recovery-codes"
    codes = browser.post(done["Location"]).content.decode()
    assert len(set(re.findall(r"<li><code>([a-z2-9-]{19})</code>", codes))) == 10
    assert browser.get("/console/").status_code == 200
    assert browser.get("/console/enrolment")["Location"] == "/console/sign-in"


def test_a_new_sign_in_replaces_the_one_before(world):
    browser = Client()
    for _ in range(2):
        submit(browser, "/console/sign-in", username="ada", password=world.ada.password)

    reasons = Session.objects.filter(stage="password").order_by("pk")
    assert [row.end_reason for row in reasons] == ["replaced", ""]


def test_customers_sign_in_at_the_portal_with_a_password(world):
    browser = Client()

    assert browser.get("/portal/sign-in").status_code == 200
    answer = submit(
        browser, "/portal/sign-in", username="chidi", password=world.chidi.password
    )

    assert answer["Location"] == "/portal/"
    assert set(browser.session.keys()) == {"portal_sid"}
    # Which opens no other door.
    assert browser.get("/console/").status_code == 302
    assert browser.get("/admin/").status_code == 302
    assert submit(browser, "/portal/sign-out")["Location"] == "/portal/sign-in"


def test_staff_do_not_enter_at_the_portal(world):
    page = submit(
        Client(), "/portal/sign-in", username="ada", password=world.ada.password
    )

    assert page.status_code == 401


def test_one_browser_may_hold_both_doors(world):
    browser = world.console(world.ada)
    submit(browser, "/portal/sign-in", username="chidi", password=world.chidi.password)

    assert set(browser.session.keys()) == {"console_sid", "portal_sid"}
    browser.post("/portal/sign-out")
    assert browser.get("/console/").status_code == 200


def test_an_idle_session_ends(world):
    browser = world.console(world.ada)
    Session.objects.filter(pk=browser.session["console_sid"]).update(
        idle_until_at=timezone.now() - timedelta(seconds=1)
    )

    assert browser.get("/console/").status_code == 302


def test_use_keeps_a_session_alive(world):
    browser = world.console(world.ada)
    row = Session.objects.get(pk=browser.session["console_sid"])
    past = timezone.now() - timedelta(minutes=5)
    Session.objects.filter(pk=row.pk).update(seen_at=past)

    browser.get("/console/")

    row.refresh_from_db()
    assert row.seen_at > past


def test_the_admin_site_is_for_superusers_with_a_code(world):
    owner = world.console(world.ada)
    assert owner.get("/admin/").status_code == 200
    assert owner.get("/admin/identity/user/").status_code == 200
    assert owner.get("/admin/identity/user/add/").status_code == 403
    assert owner.get("/admin/login/")["Location"] == "/console/"

    clerk = world.console(world.bisi)
    assert clerk.get("/admin/")["Location"].startswith("/admin/login/")
    assert clerk.get("/admin/login/")["Location"] == "/console/"

    stranger = Client().get("/admin/login/?next=/admin/identity/user/")
    assert stranger["Location"] == (
        "/console/sign-in?next=%2Fadmin%2Fidentity%2Fuser%2F"
    )
    assert owner.get("/admin/password_change/").status_code == 404
    assert owner.post("/admin/logout/")["Location"] == "/console/sign-in"
    assert owner.get("/admin/").status_code == 302


def test_admin_actions_are_operations(world):
    owner, bisi = world.console(world.ada), world.bisi

    def act(name, table, pk):
        return (
            owner.post(
                f"/admin/identity/{table}/",
                {"action": name, "_selected_action": pk},
                follow=True,
            )
            .content.decode()
            .split("<body")[1]
        )

    assert "Bisi is switched off." in act("deactivate", "user", bisi.id)
    bisi.user.refresh_from_db()
    assert bisi.user.is_active is False
    assert "Bisi may sign in again." in act("reactivate", "user", bisi.id)
    assert "This is the last owner." in act("deactivate", "user", world.ada.id)
    assert "/console/invitation/" in act("reset_mfa", "user", bisi.id)
    row = owner.session["console_sid"]
    act("end", "session", row)
    assert Session.objects.get(pk=row).end_reason == "revoked"
