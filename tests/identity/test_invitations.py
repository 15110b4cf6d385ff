"""One-time links and enrolment, by operations."""

import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

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
    WeakPassword,
)
from apps.identity.models import Invitation, TotpDevice
from apps.ops.models import AuditEntry
from dotmac.core.errors import NotFound
from tests.world import NOON, STEP_S, SYSTEM, code_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

STEP = int(NOON.timestamp()) // STEP_S


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
    assert (entry.actor_label, entry.changes) == (
        "ada",
        {"sessions_ended": 1, "keys_revoked": 0},
    )
    assert selectors.invited_user(token=link.token, now=NOON) == bisi.user


def test_only_staff_are_invited(world):
    with pytest.raises(NotStaff):
        invite(world.chidi.user)
    with pytest.raises(NotFound):
        identity.invite_staff(user_id=2**40, actor=SYSTEM, now=NOON)


def test_customers_with_an_authenticator_need_it_as_well(world, enter):
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
