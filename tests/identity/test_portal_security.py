"""The customer's own profile and door: each change asks who it is."""

import re

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import Passkey, RecoveryCode, TotpDevice
from tests.identity.test_mailed_links import GOOD, delivered
from tests.sessions import enter
from tests.world import STEP_S, code_at

pytestmark = pytest.mark.django_db
URL = "/portal/security"


@pytest.fixture
def phone(world):
    """Signed in by the password alone."""
    from apps.identity.models import Session

    browser = enter(world.chidi, face="portal", key="portal_sid")
    Session.objects.update(mfa_at=None)
    return browser


def now_step():
    return int(timezone.now().timestamp()) // STEP_S


def switch_on(phone, person, ahead=0):
    """Through the pages, as on a cheap phone."""
    page = phone.post(URL, {"do": "totp-begin", "password": person.password})
    assert page.status_code == 200, page.content
    [secret] = set(re.findall(r"<code>([A-Z2-7]{32})</code>", page.content.decode()))
    done = phone.post(
        URL,
        {
            "do": "totp-confirm",
            "password": person.password,
            "new_otp": code_at(secret, now_step() + ahead),
        },
    )
    assert done.status_code == 302, done.content
    return secret


def test_switches_the_authenticator_on_and_off_again(world, phone):
    chidi = world.chidi
    secret = switch_on(phone, chidi, ahead=-1)
    assert selectors.factors_of(chidi.id).totp
    browser = world.portal(chidi)
    assert browser.get("/portal/").status_code == 302  # The code is owed.

    without = phone.post(URL, {"do": "totp-remove", "password": chidi.password})
    assert (without.status_code, b"one-time code" in without.content) == (422, True)
    wrong = phone.post(
        URL, {"do": "totp-remove", "password": "x", "otp": code_at(secret, now_step())}
    )
    assert (wrong.status_code, b"password is wrong" in wrong.content) == (422, True)
    assert TotpDevice.objects.filter(user=chidi.user).exists()
    off = phone.post(
        URL,
        {
            "do": "totp-remove",
            "password": chidi.password,
            "otp": code_at(secret, now_step()),
        },
    )
    assert off.status_code == 302
    assert TotpDevice.objects.filter(user=chidi.user).exists() is False
    assert world.portal(chidi).get("/portal/").status_code == 200


def test_recovery_codes_are_shown_once_and_open_the_door(world, phone):
    chidi = world.chidi
    none = phone.post(URL, {"do": "codes", "password": chidi.password})
    assert (none.status_code, RecoveryCode.objects.exists()) == (422, False)
    secret = switch_on(phone, chidi, ahead=-1)

    shown = phone.post(
        URL,
        {
            "do": "codes",
            "password": chidi.password,
            "otp": code_at(secret, now_step()),
        },
    ).content.decode()
    codes = re.findall(r"<li><code>([a-z2-9-]{19})</code>", shown)
    assert len(codes) == 10
    assert codes[0] not in phone.get(URL).content.decode()
    browser = world.portal(chidi)
    browser.post("/portal/sign-in/code", {"otp": codes[0]})
    assert browser.get("/portal/").status_code == 200
    assert "9 unused codes" in browser.get(URL).content.decode()


def test_leaving_the_second_factor_takes_the_recovery_codes_along(world, phone):
    chidi = world.chidi
    secret = switch_on(phone, chidi, ahead=-1)
    identity.make_recovery_codes(
        user_id=chidi.id, actor=chidi.actor, now=timezone.now()
    )
    identity.require_proof(
        session_id=phone.session["portal_sid"], password=chidi.password,
        otp=code_at(secret, now_step()), now=timezone.now(),
    )  # fmt: skip
    # The second factor was shown a moment ago: the password is enough.
    phone.post(URL, {"do": "totp-remove", "password": chidi.password})

    assert RecoveryCode.objects.exists() is False


def test_a_short_password_does_not_stand_alone(world, phone):
    """Twelve characters do with a second factor; without it fifteen are asked."""
    chidi = world.chidi
    switch_on(phone, chidi, ahead=-1)
    identity.change_password(
        user_id=chidi.id, session_id=phone.session["portal_sid"],
        password="twelve-chars", now=timezone.now(),
    )  # fmt: skip
    from apps.identity.models import Session

    Session.objects.update(mfa_at=timezone.now())
    refused = phone.post(URL, {"do": "totp-remove", "password": "twelve-chars"})

    assert (refused.status_code, b"At least 15" in refused.content) == (422, True)
    assert TotpDevice.objects.filter(user=chidi.user, confirmed=True).exists()


def test_changes_the_password(world, phone):
    elsewhere = world.portal(world.chidi)
    typed = {"do": "password", "new_password": GOOD, "again": GOOD}
    for wrong in ({"password": "x"}, {"password": ""}, {"again": "y"}):
        values = {**typed, "password": world.chidi.password, **wrong}
        assert phone.post(URL, values).status_code == 422
    weak = {"new_password": "short", "again": "short"}
    answer = phone.post(URL, {**typed, "password": world.chidi.password, **weak})
    assert (answer.status_code, b"At least 15" in answer.content) == (422, True)

    done = phone.post(URL, {**typed, "password": world.chidi.password})

    assert done.status_code == 302
    assert phone.get(URL).status_code == 200
    assert elsewhere.get("/portal/").status_code == 302


@pytest.mark.security
def test_guessing_the_password_here_is_slowed_as_well(world, phone):
    for _ in range(8):
        phone.post(URL, {"do": "totp-begin", "password": "wrong"})
    locked = phone.post(URL, {"do": "totp-begin", "password": world.chidi.password})

    assert b"Too many attempts" in locked.content
    assert TotpDevice.objects.filter(user=world.chidi.user).exists() is False


@pytest.mark.security
def test_a_passkey_of_somebody_else_is_not_removed(world, phone):
    theirs = Passkey.objects.create(
        user=world.esi.user, name="x", credential_id=b"1", public_key=b"2"
    )
    for key in (theirs.pk, "x", "9" * 40, ""):
        typed = {
            "do": "passkey-remove", "passkey": key, "password": world.chidi.password
        }  # fmt: skip
        assert phone.post(URL, typed).status_code == 404
    assert Passkey.objects.count() == 1


def test_unknown_wishes_are_not_found(phone):
    for page in ("profile", "security", "people"):
        assert phone.post(f"/portal/{page}", {"do": "explode"}).status_code == 404


def test_the_profile_changes_name_phone_and_address(world, phone):
    chidi = world.chidi
    assert (
        phone.post(
            "/portal/profile", {"do": "name", "name": "  Chidi   O. Eze "}
        ).status_code
        == 302
    )
    chidi.user.refresh_from_db()
    assert chidi.user.name == "Chidi O. Eze"
    phone.post("/portal/profile", {"do": "name", "name": "Chidi O. Eze"})
    for name in ("", " ", "x" * 151):
        answer = phone.post("/portal/profile", {"do": "name", "name": name})
        assert answer.status_code == 422
    phone.post("/portal/profile", {"do": "phone", "phone": "0803 100 0009"})
    chidi.customer.refresh_from_db()
    assert chidi.customer.phone == "+2348031000009"
    bad = phone.post("/portal/profile", {"do": "phone", "phone": "12"})
    assert bad.status_code == 422

    typed = {"do": "email", "email": "me@mail.example"}
    assert phone.post("/portal/profile", typed).status_code == 422
    phone.post("/portal/profile", {**typed, "password": chidi.password})
    [letter] = delivered()
    assert letter.to == ["me@mail.example"]
    chidi.user.refresh_from_db()
    assert chidi.user.email == ""


def test_an_unconfirmed_address_gets_the_link_again(world, phone):
    type(world.chidi.user).objects.filter(pk=world.chidi.id).update(
        email="c@mail.example"
    )
    assert b"Not confirmed yet" in phone.get("/portal/profile").content
    phone.post("/portal/profile", {"do": "again"})
    assert delivered()[0].to == ["c@mail.example"]


@pytest.mark.security
def test_who_only_looks_does_not_change_the_account(world):
    made = identity.invite_member(
        customer_id=world.chidi.customer.pk, email="a@mail.example", rights="view",
        actor=world.ada.actor, now=timezone.now(),
    )  # fmt: skip
    person = type(world.chidi)(
        user=made.user, password="", customer=world.chidi.customer
    )
    browser = enter(person, face="portal", key="portal_sid")

    typed = {"do": "phone", "phone": "0803 100 0009"}
    assert browser.post("/portal/profile", typed).status_code == 404
