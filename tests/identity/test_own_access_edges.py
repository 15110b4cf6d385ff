"""The corners of one's own access: nobody there, nothing there, too many, too late."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.enums import SessionFace
from apps.identity.errors import (
    CredentialsRefused,
    NoSecondFactor,
    OtpRefused,
    PasskeyRefused,
    SignInLocked,
)
from apps.identity.models import Ceremony, Passkey, ResetRequest, Session
from apps.ops.models import Message
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import SYSTEM, code_at

pytestmark = pytest.mark.django_db
NOBODY = 2**40


@pytest.fixture
def chidi(world, enter):
    """Signed in at the portal; the row of the session."""
    return enter(world.chidi, face=SessionFace.PORTAL, now=timezone.now()).session


def test_nobody_is_not_found(world):
    now = timezone.now()
    facts: dict[str, Any] = {"actor": world.ada.actor, "now": now}
    for act in (
        lambda: identity.rename_user(user_id=NOBODY, name="x", **facts),
        lambda: identity.begin_totp(user_id=NOBODY, now=now),
        lambda: identity.remove_passkey(user_id=NOBODY, passkey_id=1, **facts),
        lambda: identity.remove_passkey(user_id=world.ada.id, passkey_id=1, **facts),
        lambda: identity.end_own_session(session_id=NOBODY, **facts),
        lambda: identity.end_other_sessions(actor=SYSTEM, now=now),
        lambda: identity.create_api_key(
            name="x", scopes=["a.b"], days=1, actor=SYSTEM, now=now
        ),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_session_that_is_over_proves_nothing(world, chidi):
    later = timezone.now() + timedelta(days=40)
    with pytest.raises(CredentialsRefused):
        identity.require_proof(
            session_id=chidi.pk, password=world.chidi.password, now=later
        )
    with pytest.raises(CredentialsRefused):
        identity.step_up(session_id=chidi.pk, otp="000000", now=later)
    with pytest.raises(CredentialsRefused):
        identity.ask_for_new_passkey(session_id=chidi.pk, now=later)
    # The challenge of a session that is over is a stranger's.
    asked = identity.ask_for_passkey(session_id=chidi.pk, now=later)
    assert Ceremony.objects.get(pk=asked.ceremony_id).session is None


def test_a_session_that_ends_during_the_ceremony_gets_nothing(world, chidi):
    now = timezone.now()
    asked = identity.ask_for_passkey(session_id=chidi.pk, now=now)
    identity.end_session(session_id=chidi.pk, now=now)

    for session_id in (chidi.pk, NOBODY):
        with pytest.raises(PasskeyRefused):
            identity.confirm_with_passkey(
                ceremony_id=asked.ceremony_id,
                session_id=session_id,
                answer={},
                now=now,
            )


def test_twenty_passkeys_are_enough(world, chidi):
    Passkey.objects.bulk_create(
        Passkey(
            user=world.chidi.user, name=f"{n}", credential_id=bytes([n]),
            public_key=b"x",
        )
        for n in range(20)
    )  # fmt: skip
    with pytest.raises(InvalidInput):
        identity.ask_for_new_passkey(session_id=chidi.pk, now=timezone.now())


def test_fifty_keys_are_enough(world):
    facts: dict[str, Any] = {
        "scopes": ["identity.view_customer"],
        "days": 1,
        "now": timezone.now(),
    }
    for number in range(50):
        identity.create_api_key(name=f"{number}", actor=world.bisi.actor, **facts)
    with pytest.raises(InvalidInput):
        identity.create_api_key(name="more", actor=world.bisi.actor, **facts)


def test_there_is_nothing_to_remove_or_confirm(world):
    with pytest.raises(NoSecondFactor):
        identity.remove_totp(user_id=world.chidi.id, now=timezone.now())
    with pytest.raises(CredentialsRefused):
        identity.replace_totp(user_id=world.chidi.id, otp="123456", now=timezone.now())


def test_a_wrong_code_is_no_proof(world, enter):
    ada, now = world.ada, timezone.now()
    session = enter(ada, otp=ada.otp(now), face=SessionFace.CONSOLE, now=now).session
    with pytest.raises(OtpRefused):
        identity.require_proof(
            session_id=session.pk, password=ada.password, otp="000000", now=now
        )
    identity.require_proof(
        session_id=session.pk, password=ada.password, otp=ada.otp(now), now=now
    )


def test_colleagues_who_never_enrolled_get_no_new_password(world):
    identity.create_staff(
        username="tayo", email="tayo@demo-isp.example", name="Tayo",
        role_slug="support", actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    identity.request_reset(name="tayo", face="console", now=timezone.now())

    assert identity.answer_reset_requests(now=timezone.now()) == 0
    assert Message.objects.exists() is False
    assert ResetRequest.objects.get().done_at is not None
    assert identity.answer_reset_requests(now=timezone.now()) == 0


def test_challenges_are_forgotten(world, chidi):
    now = timezone.now()
    identity.ask_for_passkey(session_id=None, now=now)
    identity.forget_sessions(now=now + timedelta(hours=23))
    assert Ceremony.objects.count() == 1
    identity.forget_sessions(now=now + timedelta(hours=25))
    assert Ceremony.objects.exists() is False


@pytest.mark.security
def test_a_storm_from_elsewhere_does_not_shut_the_owner_out(world, enter):
    """Three hundred wrong passwords from forty addresses; Chidi comes from home."""
    now = timezone.now()
    refused = []
    for number in range(320):
        try:
            enter(
                world.chidi, password="wrong", address=f"198.51.100.{number % 40}",
                now=now,
            )  # fmt: skip
        except (CredentialsRefused, SignInLocked) as refusal:
            refused.append(refusal.code)
    with pytest.raises(SignInLocked):
        enter(world.chidi, address="198.51.100.1", now=now)

    assert len(refused) == 320
    assert enter(world.chidi, address="192.0.2.99", now=now).session.pk
    assert Session.objects.filter(user=world.chidi.user).count() == 1


def test_a_moved_authenticator_keeps_the_old_one_until_it_is_confirmed(world, enter):
    ada, now = world.ada, timezone.now()
    seed = identity.begin_totp(user_id=ada.id, now=now)
    assert identity.begin_totp(user_id=ada.id, now=now) == seed
    enter(ada, otp=ada.otp(now), now=now)

    step = int(now.timestamp()) // 30
    identity.replace_totp(user_id=ada.id, otp=code_at(seed.secret, step), now=now)
    with pytest.raises(OtpRefused):
        enter(ada, otp=code_at(ada.secret, step + 1), now=now)
