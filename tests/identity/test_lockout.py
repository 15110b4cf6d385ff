"""Somebody can always change the rules: judged with rules, rights and sign-ins."""

from typing import Any

import pytest

from apps.identity import operations as identity
from apps.identity.errors import LastOwner, PolicyLocksOut, SamePerson
from apps.identity.models import AccessRule, Invitation, Session, User
from tests.identity.test_access_rules import ask, came_in, switch_on, write
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.security]


def only(name, *permissions):
    """A rule under which one person alone may do it."""
    expression = f"actor.username == '{name}'"
    return write(name=f"Only {name}", permissions=permissions, expression=expression)


def never_enrolled(name, role):
    """Hired, and never followed the link."""
    return identity.create_staff(
        username=name, email="", name=name, role_slug=role, actor=SYSTEM, now=NOON
    )


def approve(step, who):
    return identity.approve_rule_step(step_id=step.pk, actor=came_in(who), now=NOON)


def holding(world, name, *permissions):
    """A colleague with these alone, by a role of the operator's own."""
    role = identity.create_role(
        name="Keeper", permissions=permissions, actor=SYSTEM, now=NOON
    )
    return role, world.hire(name, name.title(), role.slug)


def test_who_is_left_approves_alone_when_a_rule_shuts_out_the_others(world):
    """Mina holds the right and may not use it: she must not stand in the way."""
    assert world.ada
    assert world.mina
    rule = write(
        name="Owners approve", permissions=["identity.approve_rule"],
        expression="'owner' in actor.roles",
    )  # fmt: skip
    on = ask(rule, world.ada)
    with pytest.raises(SamePerson):
        approve(on, world.ada)
    approve(on, world.mina)

    off = ask(rule, world.ada, "switch_off")
    assert approve(off, world.ada).alone is True
    rule.refresh_from_db()
    assert rule.state == "off"


def test_one_asks_and_another_could_approve(world):
    """Nobody does both, and both can: no way back is taken away."""
    holding(world, "kemi", "identity.view_rule", "identity.approve_rule")
    assert world.ada
    switch_on(only("kemi", "identity.approve_rule"))
    with pytest.raises(PolicyLocksOut):
        write(permissions=["identity.approve_rule"], expression="1 == 2", name="None")
    with pytest.raises(PolicyLocksOut):
        only("kemi", "identity.manage_rules")


@pytest.mark.parametrize("pattern", ["*.view_*", "identity.view_rule"])
def test_a_rule_that_hides_all_rules_is_not_saved(world, pattern):
    assert world.ada
    with pytest.raises(PolicyLocksOut):
        write(effect="deny", permissions=[pattern], expression="true")
    assert not AccessRule.objects.exists()


def test_who_never_came_in_is_no_way_back(world):
    assert world.ada
    zed = never_enrolled("zed", "owner")
    with pytest.raises(PolicyLocksOut):
        only("zed", "identity.manage_rules")
    # Invited is not come in; by a provider with a second factor is.
    came_in(type("Zed", (), {"user": zed}))
    identity.invite_staff(user_id=zed.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(PolicyLocksOut):
        only("zed", "identity.manage_rules")
    Invitation.objects.filter(user=zed).update(used_at=NOON)
    assert only("zed", "identity.manage_rules")
    Session.objects.filter(user=zed).update(mfa_at=None)
    with pytest.raises(PolicyLocksOut):
        only("zed", "identity.manage_roles")


def test_an_approver_who_never_came_in_holds_up_nobody(world):
    never_enrolled("idle", "manager")
    rule = write()
    assert approve(ask(rule, world.ada), world.ada).alone is True


def test_an_owner_who_never_came_in_does_not_count_as_the_other_one(world):
    never_enrolled("zed", "owner")
    with pytest.raises(LastOwner):
        identity.deactivate_user(user_id=world.ada.id, actor=SYSTEM, now=NOON)
    with pytest.raises(LastOwner):
        identity.unassign_role(
            user_id=world.ada.id, role_slug="owner", unit_id=world.operator.pk,
            actor=SYSTEM, now=NOON,
        )  # fmt: skip
    assert User.objects.get(pk=world.ada.id).is_active


# When people change ------------------------------------------------------------


@pytest.fixture
def two_owners(world):
    """Both own the operator; by a rule that is on only Ada changes rules."""
    assert world.ada
    other = world.hire("obi", "Obi Eze", "owner")
    switch_on(only("ada", "identity.manage_rules"))
    return world, other


def test_the_last_one_whom_the_rules_let_is_not_switched_off(two_owners):
    world, other = two_owners
    with pytest.raises(PolicyLocksOut):
        identity.deactivate_user(user_id=world.ada.id, actor=SYSTEM, now=NOON)
    assert User.objects.get(pk=world.ada.id).is_active

    identity.deactivate_user(user_id=other.id, actor=SYSTEM, now=NOON)
    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=NOON)


def test_the_last_one_whom_the_rules_let_keeps_the_role(two_owners):
    world, other = two_owners
    facts: dict[str, Any] = {
        "role_slug": "owner", "unit_id": world.operator.pk, "actor": SYSTEM,
        "now": NOON,
    }  # fmt: skip
    with pytest.raises(PolicyLocksOut):
        identity.unassign_role(user_id=world.ada.id, **facts)
    assert "owner" in came_in(world.ada).circumstances.roles
    identity.unassign_role(user_id=other.id, **facts)


def test_an_own_role_keeps_what_only_it_gives(world):
    names = ["identity.view_rule", "identity.approve_rule", "ops.view_job"]
    role, _kemi = holding(world, "kemi", *names)
    assert world.ada
    switch_on(only("kemi", "identity.approve_rule"))
    facts: dict[str, Any] = {"role_id": role.pk, "actor": SYSTEM, "now": NOON}
    with pytest.raises(PolicyLocksOut):
        identity.change_role(permissions=["ops.view_job"], **facts)
    identity.change_role(permissions=names[:2], **facts)


def test_a_grant_that_only_one_has_is_not_taken_back(world):
    assert world.ada
    _role, kemi = holding(world, "kemi", "identity.view_rule")
    facts: dict[str, Any] = {
        "user_id": kemi.id, "permission": "identity.approve_rule",
        "unit_id": world.operator.pk, "actor": SYSTEM, "now": NOON,
    }  # fmt: skip
    identity.grant_on_unit(**facts)
    switch_on(only("kemi", "identity.approve_rule"))
    with pytest.raises(PolicyLocksOut):
        identity.revoke_on_unit(**facts)
    assert came_in(kemi).may("identity.approve_rule")


def test_where_nobody_could_before_nobody_is_kept(world):
    """Somebody who must go goes: the lock is opened with psql either way."""
    other = world.hire("obi", "Obi Eze", "owner")
    rule = write(permissions=["identity.manage_rules"], expression="1 == 1")
    AccessRule.objects.filter(pk=rule.pk).update(state="on", expression="1 == 2")
    assert world.ada
    identity.deactivate_user(user_id=other.id, actor=SYSTEM, now=NOON)
