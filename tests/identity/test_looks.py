"""Looks at a customer's portal, by operations; the pages are in tests/portal."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import PortalLook, Session
from apps.identity.operations import looks
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def sola(world):
    """She as an actor whose session may look."""
    enter(world.sola)
    session = Session.objects.filter(user=world.sola.user).latest("pk")
    actor = selectors.actor_for_session(session, now=timezone.now())
    assert actor.session_id == session.pk
    return actor


def look(world, actor, reason="cannot find the bill"):
    return identity.begin_look(
        customer_id=world.chidi.customer.pk, reason=reason, actor=actor, now=NOON
    )


def test_a_look_says_why_in_as_many_words_as_fit(world, sola):
    for reason in ("", " \n ", "x" * (looks.REASON_CHARACTERS_MAX + 1)):
        with pytest.raises(InvalidInput) as refused:
            look(world, sola, reason)
        assert refused.value.field == "reason"
    assert PortalLook.objects.exists() is False
    assert not AuditEntry.objects.filter(action="identity.begin_look").exists()

    longest = "x" * looks.REASON_CHARACTERS_MAX
    assert look(world, sola, f"  {longest} ").reason == longest


def test_who_has_no_session_ends_nobody_s_look(world, sola):
    """Not even one whose session was deleted: it has none to tell them apart by."""
    opened = look(world, sola)
    Session.objects.get(pk=sola.session_id).delete()

    assert identity.end_look(actor=SYSTEM, now=NOON) == 0
    opened.refresh_from_db()
    assert (opened.session_id, opened.ended_at) == (None, None)


def test_ending_a_look_again_ends_nothing(world, sola):
    opened = look(world, sola)
    later = NOON + timedelta(minutes=1)

    assert [identity.end_look(actor=sola, now=at) for at in (NOON, later)] == [1, 0]
    opened.refresh_from_db()
    assert opened.ended_at == NOON
