"""Passkeys by the operations: made, used alone, used as second factor, refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from apps.identity import operations as identity
from apps.identity.enums import SessionEnd, SessionFace
from apps.identity.errors import (
    CredentialsRefused,
    LastFactor,
    MfaRequired,
    NameTaken,
    PasskeyKnown,
    PasskeyRefused,
    WeakPassword,
)
from apps.identity.models import Passkey, Session, TotpDevice
from apps.ops.models import AuditEntry, Message
from dotmac.core.errors import NotFound
from tests.identity.authenticator import HOST, ORIGIN, Authenticator
from tests.world import NOON, STEP_S, code_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon", "site_name")]
STEP = int(NOON.timestamp()) // STEP_S


@pytest.fixture
def site_name():
    with override_settings(PASSKEY_HOST=HOST, PASSKEY_ORIGINS=[ORIGIN]):
        yield


def signed_in(enter, person, face=SessionFace.CONSOLE, step=STEP):
    otp = code_at(person.secret, step) if person.secret else ""
    return enter(person, otp=otp, face=face).session


def add(session, device, name="Phone", now=NOON):
    asked = identity.ask_for_new_passkey(session_id=session.pk, now=now)
    return identity.add_passkey(
        ceremony_id=asked.ceremony_id,
        session_id=session.pk,
        answer=device.create(asked.options),
        name=name,
        now=now,
    )


def confirm(asked, session, device, now=NOON):
    return identity.confirm_with_passkey(
        ceremony_id=asked.ceremony_id,
        session_id=session.pk,
        answer=device.get(asked.options),
        now=now,
    )


def open_with(device, face=SessionFace.CONSOLE, now=NOON):
    asked = identity.ask_for_passkey(session_id=None, now=now)
    return identity.sign_in_with_passkey(
        ceremony_id=asked.ceremony_id,
        answer=device.get(asked.options),
        face=face,
        now=now,
    ).session


def test_signs_staff_in_without_a_password(world, enter):
    device = Authenticator()
    passkey = add(signed_in(enter, world.ada), device)

    session = open_with(device)

    assert (session.user, session.stage, session.mfa_at) == (
        world.ada.user,
        "full",
        NOON,
    )
    passkey.refresh_from_db()
    assert (passkey.sign_count, passkey.last_used_at) == (1, NOON)
    assert AuditEntry.objects.get(action="identity.add_passkey").actor_label == "ada"
    assert "passkey was added" in Message.objects.get().subject_line


def test_signs_customers_in_at_their_own_door_only(world, enter):
    device = Authenticator()
    add(signed_in(enter, world.chidi, SessionFace.PORTAL), device)

    assert open_with(device, SessionFace.PORTAL).user == world.chidi.user
    with pytest.raises(PasskeyRefused):
        open_with(device, SessionFace.CONSOLE)


def test_completes_a_sign_in_as_second_factor(world, enter):
    """A stick without a finger or a PIN is enough behind a password, not alone."""
    device = Authenticator(verifies=False)
    add(signed_in(enter, world.chidi, SessionFace.PORTAL), device)
    owing = enter(world.chidi, face=SessionFace.PORTAL).session
    assert owing.stage == "password"

    asked = identity.ask_for_passkey(session_id=owing.pk, now=NOON)
    assert len(asked.options["allowCredentials"]) == 1
    confirm(asked, owing, device)

    owing.refresh_from_db()
    assert (owing.stage, owing.mfa_at) == ("full", NOON)
    with pytest.raises(PasskeyRefused):
        open_with(device, SessionFace.PORTAL)


def test_programs_need_a_code_where_there_is_only_a_passkey(world, enter):
    add(signed_in(enter, world.chidi, SessionFace.PORTAL), Authenticator())

    with pytest.raises(MfaRequired):
        enter(world.chidi, face=SessionFace.API)


def test_steps_a_session_up(world, enter):
    device, later = Authenticator(), NOON + timedelta(minutes=30)
    session = signed_in(enter, world.ada)
    add(session, device)

    asked = identity.ask_for_passkey(session_id=session.pk, now=later)
    confirm(asked, session, device, later)

    session.refresh_from_db()
    assert session.mfa_at == later
    entry = AuditEntry.objects.get(action="identity.step_up")
    assert (entry.actor_label, entry.subject_id) == ("ada", session.pk)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"origin": "https://isp.example.evil.example"},
        {"origin": "http://isp.example"},
        {"host": "evil.example"},
        {"verifies": False},
    ],
    ids=["another site", "no TLS", "another host", "nobody verified"],
)
@pytest.mark.security
def test_refuses_answers_made_elsewhere(world, enter, spoiled):
    device = Authenticator()
    add(signed_in(enter, world.ada), device)
    for name, value in spoiled.items():
        setattr(device, name, value)

    with pytest.raises(PasskeyRefused):
        open_with(device)
    assert Session.objects.filter(user=world.ada.user, ended_at=None).count() == 1


@pytest.mark.security
def test_refuses_registrations_made_elsewhere(world, enter):
    session = signed_in(enter, world.ada)

    with pytest.raises(PasskeyRefused):
        add(session, Authenticator(origin="https://evil.example"))
    assert Passkey.objects.exists() is False


@pytest.mark.security
def test_an_answer_counts_once(world, enter):
    device = Authenticator()
    add(signed_in(enter, world.ada), device)
    asked = identity.ask_for_passkey(session_id=None, now=NOON)
    answer = device.get(asked.options)
    facts: dict[str, Any] = {"ceremony_id": asked.ceremony_id, "face": "console"}
    identity.sign_in_with_passkey(answer=answer, now=NOON, **facts)

    with pytest.raises(PasskeyRefused):
        identity.sign_in_with_passkey(answer=answer, now=NOON, **facts)
    # Nor does it answer another challenge, or one that is too old.
    other = identity.ask_for_passkey(session_id=None, now=NOON)
    with pytest.raises(PasskeyRefused):
        identity.sign_in_with_passkey(
            ceremony_id=other.ceremony_id,
            answer=answer,
            face=SessionFace.CONSOLE,
            now=NOON,
        )
    old = identity.ask_for_passkey(session_id=None, now=NOON)
    with pytest.raises(PasskeyRefused):
        identity.sign_in_with_passkey(
            ceremony_id=old.ceremony_id,
            answer=device.get(old.options),
            face=SessionFace.CONSOLE,
            now=NOON + timedelta(minutes=6),
        )


@pytest.mark.security
def test_a_copied_key_shows_by_its_count(world, enter):
    device = Authenticator()
    add(signed_in(enter, world.ada), device)
    open_with(device)
    device.count = 0

    with pytest.raises(PasskeyRefused):
        open_with(device)


@pytest.mark.security
def test_a_passkey_confirms_its_owner_only(world, enter):
    """Sola's passkey is no second factor for Bisi's password."""
    mine, theirs = Authenticator(), Authenticator()
    bisi = signed_in(enter, world.bisi)
    add(bisi, theirs)
    add(signed_in(enter, world.sola), mine)
    asked = identity.ask_for_passkey(session_id=bisi.pk, now=NOON)

    with pytest.raises(PasskeyRefused):
        confirm(asked, bisi, mine)
    # A challenge of one session does not serve another.
    asked = identity.ask_for_new_passkey(session_id=bisi.pk, now=NOON)
    sola = Session.objects.filter(user=world.sola.user).latest("pk")
    with pytest.raises(PasskeyRefused):
        identity.add_passkey(
            ceremony_id=asked.ceremony_id,
            session_id=sola.pk,
            answer=Authenticator().create(asked.options),
            name="",
            now=NOON,
        )


@pytest.mark.security
@pytest.mark.parametrize(
    "answer",
    [
        None,
        "x",
        [],
        {},
        {"id": 5},
        {"id": "%%%"},
        {"id": ""},
        {"id": "AAAA" * 500},
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}},
    ],
)
def test_refuses_what_is_no_answer(world, enter, answer):
    add(signed_in(enter, world.ada), Authenticator())
    asked = identity.ask_for_passkey(session_id=None, now=NOON)

    with pytest.raises(PasskeyRefused):
        identity.sign_in_with_passkey(
            ceremony_id=asked.ceremony_id, answer=answer, face="console", now=NOON
        )


@pytest.mark.security
def test_a_switched_off_person_s_passkey_opens_nothing(world, enter):
    device = Authenticator()
    assert world.ada
    add(signed_in(enter, world.bisi), device)
    identity.deactivate_user(user_id=world.bisi.id, actor=world.ada.actor, now=NOON)

    with pytest.raises(PasskeyRefused):
        open_with(device)


def test_a_password_alone_makes_no_passkey(world, enter):
    owing = enter(world.ada, face=SessionFace.CONSOLE).session

    with pytest.raises(CredentialsRefused):
        identity.ask_for_new_passkey(session_id=owing.pk, now=NOON)


def test_a_challenge_confirms_the_session_that_asked(world, enter):
    device = Authenticator()
    session = signed_in(enter, world.ada)
    add(session, device)
    asked = identity.ask_for_passkey(session_id=session.pk, now=NOON)
    other = open_with(device)
    with pytest.raises(PasskeyRefused):
        confirm(asked, other, device)


def test_a_session_that_ended_meanwhile_gets_no_passkey_and_no_confirmation(
    world, enter
):
    device = Authenticator()
    session = signed_in(enter, world.ada)
    add(session, device)
    asked = identity.ask_for_passkey(session_id=session.pk, now=NOON)
    adding = identity.ask_for_new_passkey(session_id=session.pk, now=NOON)
    Session.objects.filter(pk=session.pk).update(
        ended_at=NOON, end_reason=SessionEnd.SIGNED_OUT
    )

    with pytest.raises(CredentialsRefused):
        identity.add_passkey(
            ceremony_id=adding.ceremony_id,
            session_id=session.pk,
            answer=Authenticator().create(adding.options),
            name="Late",
            now=NOON,
        )
    with pytest.raises(PasskeyRefused):
        confirm(asked, session, device)
    assert Passkey.objects.count() == 1


def test_completes_the_enrolment_of_a_colleague(world):
    from tests.world import SYSTEM

    user = identity.create_staff(
        username="tayo", email="", name="Tayo", role_slug="support",
        actor=SYSTEM, now=NOON,
    )  # fmt: skip
    link = identity.invite_staff(user_id=user.pk, actor=SYSTEM, now=NOON)
    session = identity.accept_invitation(
        token=link.token, password="nine bridges over the lagoon", now=NOON
    )
    device = Authenticator()
    add(session, device)

    session.refresh_from_db()
    assert (session.stage, session.mfa_at) == ("full", NOON)
    assert open_with(device).user == user


def test_each_device_has_a_name_and_is_known_once(world, enter):
    session, device = signed_in(enter, world.ada), Authenticator()
    phone = add(session, device, "Phone")
    with pytest.raises(NameTaken):
        add(session, Authenticator(), "Phone")
    with pytest.raises(PasskeyKnown):
        add(session, device, "Phone again")
    renamed = {"user_id": world.ada.id, "passkey_id": phone.pk, "name": "Old phone"}
    for _ in range(2):
        identity.rename_passkey(**renamed, actor=world.ada.actor, now=NOON)
    entry = AuditEntry.objects.get(action="identity.rename_passkey")
    # What somebody calls a device is the person's own; the audit cannot forget.
    assert (entry.changes, entry.subject_label) == ({"fields": ["name"]}, "")
    add(session, Authenticator(), "Phone")

    names = Passkey.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == ["Old phone", "Phone"]
    with pytest.raises(NotFound):
        identity.rename_passkey(
            user_id=world.bisi.id, passkey_id=phone.pk, name="x",
            actor=world.bisi.actor, now=NOON,
        )  # fmt: skip


def test_staff_keep_a_factor(world, enter):
    ada = world.ada
    passkey = add(signed_in(enter, ada), Authenticator())
    identity.remove_totp(user_id=ada.id, now=NOON)
    assert TotpDevice.objects.filter(user=ada.user).exists() is False

    with pytest.raises(LastFactor):
        identity.remove_passkey(
            user_id=ada.id, passkey_id=passkey.pk, actor=ada.actor, now=NOON
        )
    other = add(
        Session.objects.filter(user=ada.user).latest("pk"), Authenticator(), "Stick"
    )
    identity.remove_passkey(
        user_id=ada.id, passkey_id=passkey.pk, actor=ada.actor, now=NOON
    )
    assert list(Passkey.objects.all()) == [other]


def test_customers_leave_with_a_password_that_stands_alone(world, enter):
    chidi = world.chidi
    passkey = add(signed_in(enter, chidi, SessionFace.PORTAL), Authenticator())
    facts = {"user_id": chidi.id, "passkey_id": passkey.pk, "actor": chidi.actor}

    with pytest.raises(WeakPassword):
        identity.remove_passkey(password="thirteen chars", now=NOON, **facts)
    identity.remove_passkey(password=chidi.password, now=NOON, **facts)
    assert Passkey.objects.exists() is False
