"""Nobody gains rights through the sign-in of a more powerful colleague."""

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import BeyondOwnRights
from apps.identity.models import TotpDevice, User

pytestmark = [pytest.mark.django_db, pytest.mark.security]
TAKING_OVER = (
    identity.reset_mfa,
    identity.invite_staff,
    identity.deactivate_user,
)


@pytest.mark.parametrize("act", TAKING_OVER)
def test_a_manager_does_not_take_over_an_owner(world, act):
    world.hire("other", "Other Owner", "owner")
    with pytest.raises(BeyondOwnRights):
        act(user_id=world.ada.id, actor=world.mina.actor, now=timezone.now())

    assert TotpDevice.objects.filter(user=world.ada.user).exists()
    assert User.objects.get(pk=world.ada.id).is_active


@pytest.mark.parametrize("act", TAKING_OVER)
def test_a_manager_looks_after_those_below(world, act):
    assert world.ada
    act(user_id=world.bisi.id, actor=world.mina.actor, now=timezone.now())


@pytest.mark.parametrize("act", TAKING_OVER)
def test_a_branch_does_not_reach_the_whole_operator(world, act):
    assert world.ada
    boss = world.hire("kano", "Kano Boss", "manager", unit_id=world.reseller.pk)
    with pytest.raises(BeyondOwnRights):
        act(user_id=world.bisi.id, actor=boss.actor, now=timezone.now())
    act(user_id=world.remi.id, actor=boss.actor, now=timezone.now())


def test_a_manager_makes_no_owner(world):
    facts = {"email": "", "name": "X", "actor": world.mina.actor, "now": world.now}
    with pytest.raises(BeyondOwnRights):
        identity.create_staff(username="tayo", role_slug="owner", **facts)
    identity.create_staff(username="tayo", role_slug="support", **facts)

    gives = "identity.create_staff"
    slugs = {role.slug for role in selectors.roles_within(world.mina.actor, gives)}
    assert "owner" not in slugs
    assert {"manager", "support"} <= slugs
    everything = {role.slug for role in selectors.roles_within(world.ada.actor, gives)}
    assert "owner" in everything


def test_the_console_says_so(world, enter_console):
    browser = enter_console(world.mina)
    answer = browser.post(f"/console/staff/{world.ada.id}/reset-mfa", follow=True)

    assert "may do more than you" in answer.content.decode()


def test_the_page_of_a_colleague_shows_and_acts(world, enter_console):
    browser = enter_console(world.ada)
    page = browser.get(f"/console/staff/{world.bisi.id}").content.decode()
    for words in ("Billing clerk", "bisi@demo-isp.example", "Recovery codes left"):
        assert words in page
    link = browser.post(f"/console/staff/{world.bisi.id}/invite").content.decode()
    assert "/console/invitation/" in link
    reset = browser.post(f"/console/staff/{world.bisi.id}/reset-mfa").content.decode()
    assert "/console/invitation/" in reset
    assert "Invited" in browser.get(f"/console/staff/{world.bisi.id}").content.decode()
    for action, active in (("deactivate", False), ("reactivate", True)):
        browser.post(f"/console/staff/{world.bisi.id}/{action}")
        assert User.objects.get(pk=world.bisi.id).is_active is active
