"""Passwords and one-time codes, by operations."""

from datetime import timedelta
from importlib import import_module

import pytest

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionEnd, SessionFace, SessionStage
from apps.identity.errors import (
    CredentialsRefused,
    MfaRequired,
    OtpRefused,
    OtpReused,
)
from apps.identity.models import Session, TotpDevice
from apps.ops.models import AuditEntry
from tests.world import NOON, STEP_S, SYSTEM, code_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

STEP = int(NOON.timestamp()) // STEP_S


def test_staff_need_a_code_at_the_api(world, enter):
    with pytest.raises(MfaRequired):
        enter(world.ada)
    signed_in = enter(world.ada, otp=code_at(world.ada.secret, STEP))

    session = signed_in.session
    assert (session.stage, session.mfa_at, session.face) == ("full", NOON, "api")
    assert session.expires_at == NOON + timedelta(hours=24)
    assert signed_in.tokens.expires_in == 600


def test_signs_in_by_e_mail_and_in_any_case(world, enter):
    ada = world.ada
    for name in ("ADA", " ada ", "Ada@Demo-ISP.example"):
        with pytest.raises(MfaRequired):
            identity.sign_in(
                username=name, password=ada.password, face=SessionFace.API, now=NOON
            )


def test_the_console_owes_the_code_and_then_opens(world, enter):
    owing = enter(world.ada, face=SessionFace.CONSOLE)
    assert (owing.session.stage, owing.tokens) == (SessionStage.PASSWORD, None)
    assert owing.session.expires_at == NOON + timedelta(minutes=15)
    assert selectors.actor_for_session(owing.session, now=NOON).scopes == {}

    done = identity.confirm_code(
        session_id=owing.session.pk,
        otp=code_at(world.ada.secret, STEP),
        now=NOON + timedelta(seconds=20),
    )

    assert (done.session.stage, done.session.pk) == ("full", owing.session.pk)
    assert selectors.actor_for_session(done.session, now=NOON).may(
        "identity.manage_roles"
    )
    with pytest.raises(CredentialsRefused):
        identity.confirm_code(session_id=owing.session.pk, otp="123456", now=NOON)


def test_a_code_of_an_authenticator_that_went_meanwhile_is_refused(world, enter):
    owing = enter(world.ada, face=SessionFace.CONSOLE)
    TotpDevice.objects.filter(user=world.ada.user).delete()

    with pytest.raises(OtpRefused):
        identity.confirm_code(session_id=owing.session.pk, otp="123456", now=NOON)


def test_a_session_that_ends_while_its_code_is_looked_at_stays_ended(
    world, enter, monkeypatch
):
    """Between the look at the session and its lock somebody signs it out."""
    owing = enter(world.ada, face=SessionFace.CONSOLE).session

    def ended_meanwhile(**_):
        Session.objects.filter(pk=owing.pk).update(
            ended_at=NOON, end_reason=SessionEnd.SIGNED_OUT
        )

    # The package gives the operation the name of its module.
    module = import_module("apps.identity.operations.sign_in")
    monkeypatch.setattr(module, "spend_try", ended_meanwhile)
    with pytest.raises(CredentialsRefused):
        identity.confirm_code(
            session_id=owing.pk, otp=code_at(world.ada.secret, STEP), now=NOON
        )
    owing.refresh_from_db()
    assert owing.stage == SessionStage.PASSWORD


def test_customers_come_in_with_a_password(world, enter):
    portal = enter(world.chidi, face=SessionFace.PORTAL)
    api = enter(world.chidi)

    assert (portal.session.stage, portal.session.mfa_at) == ("full", None)
    assert portal.session.expires_at == NOON + timedelta(days=30)
    assert api.tokens is not None


@pytest.mark.parametrize(
    ("who", "face"), [("chidi", SessionFace.CONSOLE), ("ada", SessionFace.PORTAL)]
)
def test_each_door_has_its_people(world, enter, who, face):
    with pytest.raises(CredentialsRefused):
        enter(getattr(world, who), face=face)
    assert Session.objects.filter(started_at=NOON).exists() is False


@pytest.mark.parametrize("password", ["wrong", "", "x" * 2000])
def test_refuses_wrong_passwords(world, enter, password):
    with pytest.raises(CredentialsRefused):
        enter(world.chidi, password=password)


def test_refuses_the_switched_off_and_the_not_yet_invited(world, enter):
    identity.deactivate_user(user_id=world.chidi.id, actor=SYSTEM, now=NOON)
    with pytest.raises(CredentialsRefused):
        enter(world.chidi)
    user = identity.create_staff(
        username="tayo", email="", name="", role_slug="support", actor=SYSTEM, now=NOON
    )
    assert user.name == "tayo"

    with pytest.raises(CredentialsRefused):
        identity.sign_in(
            username="tayo", password=user.password, face=SessionFace.API, now=NOON
        )


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_accepts_the_neighbouring_codes_once(world, enter, drift):
    code = code_at(world.ada.secret, STEP + drift)
    enter(world.ada, otp=code)

    with pytest.raises(OtpReused) as reused:
        enter(world.ada, otp=code, now=NOON + timedelta(seconds=1))

    # NOON begins a step: the code of the step after the spent one comes then.
    assert reused.value.facts == {"retry_after_s": max(1, 30 * (drift + 1) - 1)}


def test_an_older_code_than_the_spent_one_is_spent_too(world, enter):
    enter(world.ada, otp=code_at(world.ada.secret, STEP))

    with pytest.raises(OtpReused):
        enter(world.ada, otp=code_at(world.ada.secret, STEP - 1))
    enter(world.ada, otp=code_at(world.ada.secret, STEP + 1))


@pytest.mark.parametrize(
    "otp", ["000000", "12345", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666"]
)
def test_refuses_other_codes(world, enter, otp):
    with pytest.raises(OtpRefused):
        enter(world.ada, otp=otp)
    with pytest.raises(OtpRefused):
        enter(world.ada, otp=code_at(world.ada.secret, STEP - 2))


def test_a_code_may_be_typed_in_two_groups(world, enter):
    code = code_at(world.ada.secret, STEP)

    assert enter(world.ada, otp=f" {code[:3]} {code[3:]} ").tokens is not None


def test_every_sign_in_and_out_is_audited(world, enter):
    session = enter(world.chidi).session
    identity.end_session(session_id=session.pk, now=NOON)
    identity.end_session(session_id=session.pk, now=NOON)

    rows = AuditEntry.objects.filter(subject_kind="session", subject_id=session.pk)
    assert list(rows.order_by("pk").values_list("action", "actor_label")) == [
        ("identity.sign_in", "chidi"),
        ("identity.sign_out", "chidi"),
    ]
    # Nor does ending what never was do any harm.
    identity.end_session(session_id=2**40, now=NOON)
