"""Refreshing, using and ending sessions, by operations."""

from datetime import timedelta

import pytest

from apps.identity import operations as identity
from apps.identity.errors import (
    RefreshRefused,
)
from apps.identity.models import RefreshToken, Session
from apps.identity.tasks import forget_sessions
from tests.world import NOON, STEP_S, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

STEP = int(NOON.timestamp()) // STEP_S


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


def test_the_nightly_task_forgets(world, enter):
    enter(world.chidi)
    Session.objects.update(
        started_at=NOON - timedelta(days=200), expires_at=NOON - timedelta(days=100)
    )

    assert forget_sessions() >= 1
    assert Session.objects.exists() is False
