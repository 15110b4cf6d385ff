"""New passwords: long, not common, not made of what others know."""

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.test import override_settings

from apps.identity import operations as identity
from apps.identity.errors import CredentialsRefused, PasswordRefused, WeakPassword
from apps.identity.models import Session
from apps.identity.rules.passwords import weakness_of
from dotmac.core.hashers import LANES, MEMORY_KIB, PASSES, Argon2idHasher
from tests.world import NOON

COMMON = frozenset({"password", "trustno1", "iloveyou", "1q2w3e4r5t6y"})
KNOWN = ("Demo ISP", "chidi.eze", "chidi@mail.example", "Chidi Eze")


def reason(password, *, has_mfa=False):
    found = weakness_of(password, has_mfa=has_mfa, common=COMMON, known=KNOWN)
    return found and found.reason


@pytest.mark.unit
@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("fourteen chars", "too_short"),
        ("fifteen letters", None),
        ("correct horse battery staple", None),
        ("日本語のパスワードはとても長いものです", None),
        ("x9$kQ!m2vB&7pLzR", None),
        ("a" * 1025, "too_long"),
        ("passwordpassword", "common"),
        ("Password!!!!!!!!!!!", "common"),
        ("iloveyouiloveyou2026", "common"),
        ("aaaaaaaaaaaaaaaaaaaa", "pattern"),
        ("123456789012345678", "pattern"),
        ("qwertyuiopasdfghjkl", "pattern"),
        ("abcdefghijklmnopqrst", "pattern"),
        ("chidi.eze@mail.example", "known"),
        ("Chidi Eze Demo 12345", "known"),
        ("chidichidichidichidi", "pattern"),
    ],
)
def test_judges_a_password(password, why):
    assert reason(password) == why


@pytest.mark.unit
@pytest.mark.parametrize(
    ("length", "has_mfa", "why"),
    [(11, True, "too_short"), (12, True, None), (14, False, "too_short"),
     (15, False, None), (64, False, None)],
)  # fmt: skip
def test_a_password_that_stands_alone_is_longer(length, has_mfa, why):
    text = ("brave otters juggle seven lemons " * 3)[:length]

    assert reason(text, has_mfa=has_mfa) == why


@pytest.mark.unit
def test_no_kind_of_character_is_demanded():
    assert reason("only small letters here") is None


@pytest.mark.unit
def test_the_list_of_common_ones_is_long():
    from apps.identity.operations.passwords import _common

    # Whoever asked first has it already, and may have been a story (tests/measuring).
    _common.cache_clear()
    assert len(_common()) >= 10_000


@pytest.mark.unit
def test_hashes_are_argon2id_with_our_parameters():
    with override_settings(PASSWORD_HASHERS=["dotmac.core.hashers.Argon2idHasher"]):
        hashed = make_password("brave otters juggle")
    wanted = f"argon2$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"

    assert hashed.startswith(wanted)
    with override_settings(PASSWORD_HASHERS=["dotmac.core.hashers.Argon2idHasher"]):
        assert isinstance(identify_hasher(hashed), Argon2idHasher)


@pytest.mark.django_db
def test_an_older_hash_is_renewed_at_sign_in(world, enter):
    user = world.chidi.user
    weak = user.password
    with override_settings(PASSWORD_HASHERS=["dotmac.core.hashers.Argon2idHasher"]):
        enter(world.chidi)
        user.refresh_from_db()
        assert f"m={MEMORY_KIB}" in user.password != weak
        assert check_password(world.chidi.password, user.password)
        enter(world.chidi)


@pytest.mark.django_db
def test_sixty_four_characters_and_more_sign_in(world, enter):
    long = "brave otters juggle seven lemons under the old bridge of Lokoja today"
    identity.set_portal_password(
        customer_id=world.chidi.customer.pk,
        user_id=world.chidi.id,
        password=long,
        actor=world.ada.actor,
        now=NOON,
    )

    enter(world.chidi, password=long)
    with pytest.raises(CredentialsRefused):
        enter(world.chidi, password=long[:64])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["demo isp demo isp", "chidi1234567890", "passwordpassword"]
)
def test_says_why_in_words(world, password):
    with pytest.raises(WeakPassword) as refused:
        identity.set_portal_password(
            customer_id=world.chidi.customer.pk,
            user_id=world.chidi.id,
            password=password,
            actor=world.ada.actor,
            now=NOON,
        )
    assert refused.value.field == "password"
    assert len(refused.value.detail) > 20


@pytest.mark.django_db
def test_a_changed_password_ends_all_but_this_sign_in(world, enter):
    chidi = world.chidi
    here, there = enter(chidi, face="portal").session, enter(chidi)
    identity.require_proof(session_id=here.pk, password=chidi.password, now=NOON)
    identity.change_password(
        user_id=chidi.id, session_id=here.pk, password="a brand new long one", now=NOON
    )

    here.refresh_from_db()
    there.session.refresh_from_db()
    assert (here.ended_at, there.session.end_reason) == (None, "credentials_changed")
    with pytest.raises(identity_error("RefreshRefused")):
        identity.refresh_tokens(refresh=there.tokens.refresh, now=NOON)
    with pytest.raises(CredentialsRefused):
        enter(chidi)
    with pytest.raises(PasswordRefused):
        identity.require_proof(session_id=here.pk, password=chidi.password, now=NOON)
    assert Session.objects.filter(user=chidi.user, ended_at=None).count() == 1


def identity_error(name):
    from apps.identity import errors

    return getattr(errors, name)


@pytest.mark.django_db
@pytest.mark.security
@override_settings(PASSWORD_HASHERS=["dotmac.core.hashers.Argon2idHasher"])
def test_unknown_wrong_and_switched_off_cost_the_same(world):
    """Interleaved, so that a busy machine is busy for all of them alike."""
    from statistics import median
    from time import perf_counter

    people = {"chidi": world.chidi, "dayo": world.dayo}
    for person in people.values():
        person.user.password = make_password("the right one is long enough")
        person.user.save(update_fields=["password"])
    identity.deactivate_user(user_id=world.dayo.id, actor=world.ada.actor, now=NOON)
    attempts = {
        "unknown": ("nobody", "wrong"),
        "wrong": ("chidi", "wrong"),
        "switched off": ("dayo", "the right one is long enough"),
    }
    times: dict[str, list[float]] = {name: [] for name in attempts}
    for number in range(20):
        for name, (username, password) in attempts.items():
            began = perf_counter()
            with pytest.raises(CredentialsRefused):
                identity.sign_in(
                    username=username, password=password, face="portal",
                    address=f"192.0.2.{number}", now=NOON,
                )  # fmt: skip
            times[name].append(perf_counter() - began)
    medians = {name: median(taken) for name, taken in times.items()}
    assert max(medians.values()) / min(medians.values()) < 1.3, medians
