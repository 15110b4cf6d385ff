"""Guessing is slowed, by name and address together."""

from datetime import timedelta

import pytest
from django.test import override_settings

from apps.identity import operations as identity
from apps.identity.enums import SessionFace
from apps.identity.errors import (
    CredentialsRefused,
    OtpRefused,
    SignInLocked,
)
from tests.world import NOON, STEP_S

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

STEP = int(NOON.timestamp()) // STEP_S


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

    def guess(minute):
        identity.confirm_code(
            session_id=owing.pk,
            otp="000000",
            address="192.0.2.7",
            now=NOON + timedelta(minutes=minute),
        )

    for number in range(8):
        with pytest.raises(OtpRefused):
            guess(number // 5 * 2)

    with pytest.raises(SignInLocked) as locked:
        guess(6)
    assert locked.value.facts["retry_after_s"] > 60


def test_five_codes_of_one_person_are_looked_at_in_a_minute(world, enter):
    """From whatever address: a person who has the password guesses slowly."""
    owing = enter(world.ada, face=SessionFace.CONSOLE).session

    def guess(number, seconds):
        identity.confirm_code(
            session_id=owing.pk,
            otp="000000",
            address=f"192.0.2.{number}",
            now=NOON + timedelta(seconds=seconds),
        )

    for number in range(5):
        with pytest.raises(OtpRefused):
            guess(number, number)
    with pytest.raises(SignInLocked) as locked:
        guess(6, 10)
    assert locked.value.facts["retry_after_s"] == 50
    # One leaves the minute, one may come.
    with pytest.raises(OtpRefused):
        guess(7, 61)


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


@override_settings(PASSWORD_HASHERS=["dotmac.core.hashers.Argon2idHasher"])
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
