"""Passwords, one-time codes, invitations and sessions, by operations."""

import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import override_settings

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionFace, SessionStage
from apps.identity.errors import (
    CredentialsRefused,
    InvitationRefused,
    MfaEnrolmentRequired,
    MfaRequired,
    NotStaff,
    OtpRefused,
    OtpReused,
    RefreshRefused,
    SignInLocked,
    WeakPassword,
)
from apps.identity.models import Invitation, RefreshToken, Session, TotpDevice
from apps.ops.models import AuditEntry
from dotmac.core.errors import NotFound
from tests.world import NOON, STEP_S, SYSTEM, code_at

pytestmark = pytest.mark.django_db

STEP = int(NOON.timestamp()) // STEP_S


@pytest.fixture
def enter():
    def enter(person, otp="", face=SessionFace.API, now=NOON, **facts):
        values = {"password": person.password, "address": "192.0.2.7", **facts}
        return identity.sign_in(
            username=person.username, otp=otp, face=face, now=now, **values
        )

    return enter


@pytest.fixture(autouse=True)
def _at_noon(world):
    """The cast is a day old; django-axes, which reads the clock itself, sees noon."""
    world.now = NOON - timedelta(days=1)
    with time_machine.travel(NOON):
        yield


# Passwords and codes -------------------------------------------------------


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
    assert selectors.actor_for_session(owing.session).scopes == {}

    done = identity.confirm_code(
        session_id=owing.session.pk,
        otp=code_at(world.ada.secret, STEP),
        now=NOON + timedelta(seconds=20),
    )

    assert (done.session.stage, done.session.pk) == ("full", owing.session.pk)
    assert selectors.actor_for_session(done.session).may("identity.manage_roles")
    with pytest.raises(CredentialsRefused):
        identity.confirm_code(session_id=owing.session.pk, otp="123456", now=NOON)


def test_a_code_for_a_session_that_ended_meanwhile_is_refused(world, enter):
    owing = enter(world.ada, face=SessionFace.CONSOLE)
    TotpDevice.objects.filter(user=world.ada.user).delete()

    with pytest.raises(CredentialsRefused):
        identity.confirm_code(session_id=owing.session.pk, otp="123456", now=NOON)


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


# Guessing ------------------------------------------------------------------


def test_locks_the_name_from_that_address_for_a_while(world, enter):
    for _ in range(8):
        with pytest.raises(CredentialsRefused):
            enter(world.chidi, password="wrong")

    with pytest.raises(SignInLocked) as locked:
        enter(world.chidi)
    assert locked.value.facts["retry_after_s"] == 900
    # From elsewhere, and for others, the door stays open.
    enter(world.chidi, address="192.0.2.8")
    enter(world.dayo)
    enter(world.chidi, now=NOON + timedelta(minutes=16))


def test_changing_the_browser_does_not_help(world, enter):
    for number in range(8):
        with pytest.raises(CredentialsRefused):
            enter(world.chidi, password="wrong", device=f"browser {number}")

    with pytest.raises(SignInLocked):
        enter(world.chidi, device="another")


def test_wrong_codes_count_like_wrong_passwords(world, enter):
    owing = enter(world.ada, face=SessionFace.CONSOLE).session
    for _ in range(8):
        with pytest.raises(OtpRefused):
            identity.confirm_code(
                session_id=owing.pk, otp="000000", address="192.0.2.7", now=NOON
            )

    with pytest.raises(SignInLocked):
        identity.confirm_code(
            session_id=owing.pk, otp="000000", address="192.0.2.7", now=NOON
        )


def test_success_forgets_the_failures(world, enter):
    for _ in range(3):
        for _ in range(7):
            with pytest.raises(CredentialsRefused):
                enter(world.chidi, password="wrong")
        enter(world.chidi)


def test_unknown_names_are_locked_as_well(world):
    def knock():
        identity.sign_in(username="ghost", password="x", face=SessionFace.API, now=NOON)

    for _ in range(8):
        with pytest.raises(CredentialsRefused):
            knock()
    with pytest.raises(SignInLocked):
        knock()


@override_settings(
    PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"]
)
def test_unknown_names_cost_the_same_time(world):
    from time import perf_counter

    from django.contrib.auth.hashers import make_password

    user = world.chidi.user
    user.password = make_password("the right one is long")
    user.save(update_fields=["password"])

    def cost(name):
        times = []
        for number in range(5):
            started = perf_counter()
            with pytest.raises(CredentialsRefused):
                identity.sign_in(
                    username=name,
                    password="wrong",
                    face=SessionFace.API,
                    address=f"192.0.2.{number}",
                    now=NOON,
                )
            times.append(perf_counter() - started)
        return sorted(times)[2]

    known, unknown = cost("chidi"), cost("nobody")
    assert 0.5 < known / unknown < 2


# Tokens --------------------------------------------------------------------


def test_refresh_gives_a_new_pair_and_keeps_the_session_awake(world, enter):
    signed_in = enter(world.chidi)
    later = NOON + timedelta(days=3)

    tokens = identity.refresh_tokens(refresh=signed_in.tokens.refresh, now=later)

    assert tokens.refresh != signed_in.tokens.refresh
    session = Session.objects.get(pk=signed_in.session.pk)
    assert session.idle_until_at == later + timedelta(days=7)
    assert session.expires_at == NOON + timedelta(days=30)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda session: identity.end_session(session_id=session.pk, now=NOON),
        lambda session: identity.deactivate_user(
            user_id=session.user_id, actor=SYSTEM, now=NOON
        ),
        lambda session: Session.objects.update(idle_until_at=NOON),
        lambda session: Session.objects.update(expires_at=NOON + timedelta(seconds=1)),
    ],
    ids=["signed out", "deactivated", "idle", "too old"],
)
def test_refuses_to_refresh_what_is_over(world, enter, spoil):
    signed_in = enter(world.chidi)
    spoil(signed_in.session)

    with pytest.raises(RefreshRefused):
        identity.refresh_tokens(
            refresh=signed_in.tokens.refresh, now=NOON + timedelta(seconds=2)
        )


def test_refuses_unknown_refresh_tokens_and_ignores_them_at_sign_out(world, enter):
    with pytest.raises(RefreshRefused):
        identity.refresh_tokens(refresh="nonsense", now=NOON)
    identity.sign_out(refresh="nonsense", now=NOON)


def test_sign_out_ends_the_whole_family(world, enter):
    first = enter(world.chidi)
    second = identity.refresh_tokens(refresh=first.tokens.refresh, now=NOON)

    identity.sign_out(refresh=first.tokens.refresh, now=NOON)

    with pytest.raises(RefreshRefused):
        identity.refresh_tokens(refresh=second.refresh, now=NOON)
    assert RefreshToken.objects.filter(digest=second.refresh).exists() is False


def test_forgets_sessions_of_long_ago_in_batches(world, enter):
    for _ in range(3):
        enter(world.chidi)
    at = NOON + timedelta(days=200)

    assert identity.forget_sessions(now=NOON) == 0
    assert identity.forget_sessions(now=at, limit=2) == 2
    assert Session.objects.filter(user=world.chidi.user).count() == 1


def test_use_is_written_once_a_minute_at_most(world, enter):
    session = enter(world.chidi).session

    identity.touch_session(session=session, now=NOON + timedelta(seconds=59))
    assert Session.objects.get(pk=session.pk).seen_at == NOON
    identity.touch_session(session=session, now=NOON + timedelta(seconds=60))
    assert Session.objects.get(pk=session.pk).seen_at == NOON + timedelta(seconds=60)


# Invitations ---------------------------------------------------------------


@pytest.fixture
def tayo(world):
    return identity.create_staff(
        username="tayo",
        email="tayo@demo-isp.example",
        name="Tayo",
        role_slug="support",
        actor=SYSTEM,
        now=NOON,
    )


def invite(user):
    return identity.invite_staff(user_id=user.pk, actor=SYSTEM, now=NOON)


GOOD = "nine bridges over the lagoon"


def test_the_database_keeps_only_a_digest_of_the_link(tayo):
    link = invite(tayo)

    row = Invitation.objects.get(user=tayo)
    assert link.token not in row.digest
    assert link.path == f"/console/invitation/{link.token}"
    assert link.expires_at == NOON + timedelta(days=3)
    assert selectors.invited_user(token=link.token, now=NOON) == tayo


def test_a_new_link_replaces_the_one_before(tayo):
    first, second = invite(tayo), invite(tayo)

    assert selectors.invited_user(token=first.token, now=NOON) is None
    with pytest.raises(InvitationRefused):
        identity.accept_invitation(token=first.token, password=GOOD, now=NOON)
    identity.accept_invitation(token=second.token, password=GOOD, now=NOON)


def test_refuses_old_links_weak_passwords_and_the_switched_off(tayo, world):
    link = invite(tayo)
    accept = {"token": link.token, "password": GOOD, "now": NOON}

    with pytest.raises(InvitationRefused):
        identity.accept_invitation(**{**accept, "now": link.expires_at})
    for weak in ("short", "password1234", "x" * 2000):
        with pytest.raises(WeakPassword):
            identity.accept_invitation(**{**accept, "password": weak})
    identity.deactivate_user(user_id=tayo.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(InvitationRefused):
        identity.accept_invitation(**accept)
    identity.reactivate_user(user_id=tayo.pk, actor=SYSTEM, now=NOON)

    # Nothing of this used the link up.
    assert identity.accept_invitation(**accept).stage == SessionStage.ENROLMENT


def test_the_enrolment_session_enrols_and_nothing_else(tayo, world):
    session = identity.accept_invitation(
        token=invite(tayo).token, password=GOOD, now=NOON
    )
    with pytest.raises(CredentialsRefused):
        identity.confirm_totp(session_id=session.pk, otp="123456", now=NOON)
    with pytest.raises(MfaEnrolmentRequired):
        identity.sign_in(username="tayo", password=GOOD, face=SessionFace.API, now=NOON)

    enrolment = identity.enrol_totp(session_id=session.pk, now=NOON)
    assert identity.enrol_totp(session_id=session.pk, now=NOON) == enrolment
    query = parse_qs(urlsplit(enrolment.uri).query)
    assert query == {"secret": [enrolment.secret], "issuer": ["Demo ISP"]}
    with pytest.raises(OtpRefused):
        identity.confirm_totp(session_id=session.pk, otp="000000", now=NOON)
    done = identity.confirm_totp(
        session_id=session.pk, otp=code_at(enrolment.secret, STEP), now=NOON
    )

    assert (done.session.stage, done.session.mfa_at) == ("full", NOON)
    for again in (identity.enrol_totp,):
        with pytest.raises(CredentialsRefused):
            again(session_id=session.pk, now=NOON)
    # The first code is spent like any other.
    with pytest.raises(OtpReused):
        identity.sign_in(
            username="tayo",
            password=GOOD,
            otp=code_at(enrolment.secret, STEP),
            face=SessionFace.API,
            now=NOON,
        )


def test_the_seed_is_sealed(world):
    device = TotpDevice.objects.get(user=world.ada.user)

    raw = base64.b32decode(world.ada.secret)
    assert raw not in bytes(device.seed)
    assert raw.hex().encode() not in bytes(device.seed)


def test_a_reset_ends_all_and_invites_again(world, enter):
    bisi = world.bisi
    session = enter(bisi, otp=code_at(bisi.secret, STEP)).session

    link = identity.reset_mfa(user_id=bisi.id, actor=world.ada.actor, now=NOON)

    session.refresh_from_db()
    assert session.end_reason == "credentials_changed"
    assert TotpDevice.objects.filter(user=bisi.user).exists() is False
    with pytest.raises(CredentialsRefused):
        enter(bisi, otp=code_at(bisi.secret, STEP + 1))
    entry = AuditEntry.objects.get(action="identity.reset_mfa")
    assert (entry.actor_label, entry.changes) == ("ada", {"sessions_ended": 1})
    assert selectors.invited_user(token=link.token, now=NOON) == bisi.user


def test_only_staff_are_invited(world):
    with pytest.raises(NotStaff):
        invite(world.chidi.user)
    with pytest.raises(NotFound):
        identity.invite_staff(user_id=2**40, actor=SYSTEM, now=NOON)


def test_customers_with_an_authenticator_need_it_as_well(world, enter):
    """They cannot enrol yet; the door honours it from the first day."""
    secret, chidi = world.ada.secret, world.chidi
    device = TotpDevice.objects.get(user=world.ada.user)
    from dotmac.core.models import open_sealed, seal_into

    seed = open_sealed(device, "seed")
    mine = TotpDevice(pk=device.pk + 1000, user=chidi.user, name="x", confirmed=True)
    seal_into(mine, "seed", seed)
    mine.save(force_insert=True)

    with pytest.raises(MfaRequired):
        enter(chidi)
    assert enter(chidi, face=SessionFace.PORTAL).session.stage == "password"
    assert enter(chidi, otp=code_at(secret, STEP)).session.mfa_at == NOON
