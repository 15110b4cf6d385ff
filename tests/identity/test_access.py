"""Roles, grants and scopes: who reaches which rows."""

import pytest
from django.core.management import call_command

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    NotStaff,
    UnknownPermission,
    UnknownUnit,
)
from apps.identity.models import (
    OrganisationUnit,
    Role,
    RoleAssignment,
    RolePermission,
    Session,
    User,
)
from dotmac.core.actors import ActorKind
from dotmac.core.errors import NotFound
from dotmac.core.permissions import catalogue
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db

VIEW = "identity.view_customer"


def seen_by(actor, permission=VIEW):
    rows = selectors.customers_visible_to(actor, permission).order_by("name")
    return [row.name.split()[0] for row in rows]


@pytest.fixture
def people(world):
    assert world.chidi
    assert world.dayo
    assert world.esi
    return world


# Roles ---------------------------------------------------------------------


def test_fills_the_built_in_roles_from_the_catalogue(world):
    def held(slug):
        rows = RolePermission.objects.filter(role__slug=slug)
        return set(rows.values_list("permission", flat=True))

    assert held("owner") == set(catalogue())
    assert "identity.manage_roles" not in held("manager")
    assert all(".view_" in name for name in held("auditor"))
    assert "billing.record_payment" in held("billing-clerk")
    assert "network.create_nas" in held("network-engineer")
    assert "network.create_nas" not in held("support")
    assert "billing.view_ledger" not in held("support")


def test_syncing_again_changes_nothing_and_repairs_what_was_changed(world):
    def sync():
        return identity.sync_roles(operator_name="Other", actor=SYSTEM, now=NOON)

    assert sync() == 0
    RolePermission.objects.filter(permission=VIEW, role__slug="support").delete()
    role = Role.objects.get(slug="support")
    RolePermission.objects.create(role=role, permission="identity.walk_on_water")
    assert sync() == 2
    assert sync() == 0
    assert OrganisationUnit.objects.get().name == "Demo ISP"


def test_the_command_says_what_it_did(world, capsys):
    call_command("sync_roles")

    assert capsys.readouterr().out == "0 role permissions changed.\n"


# Actors --------------------------------------------------------------------


def test_the_operators_people_see_everybody(people):
    assert seen_by(people.ada.actor) == ["Chidi", "Dayo", "Esi"]
    assert seen_by(people.sola.actor) == ["Chidi", "Dayo", "Esi"]


def test_a_resellers_people_see_the_resellers_customers(people):
    assert seen_by(people.remi.actor) == ["Esi"]
    branch = identity.create_unit(
        name="Kano East",
        kind="branch",
        parent_id=people.reseller.pk,
        actor=SYSTEM,
        now=NOON,
    )
    people.subscribe("femi2", "Femi Below", "+2348031000077", unit_id=branch.pk)
    assert seen_by(people.remi.actor) == ["Esi", "Femi"]


def test_roles_in_two_places_reach_both(people):
    branches = [
        identity.create_unit(
            name=name,
            kind="branch",
            parent_id=people.operator.pk,
            actor=SYSTEM,
            now=NOON,
        )
        for name in ("East", "West")
    ]
    for unit in branches:
        person = people.hire(unit.name.lower(), "Two", "support", unit_id=unit.pk)
        assert person.actor.scope(VIEW).unit_ids == {unit.pk}
        identity.assign_role(
            user_id=people.remi.id, role_slug="support", unit_id=unit.pk, actor=SYSTEM,
            now=NOON,
        )  # fmt: skip
    both = {people.reseller.pk, *(unit.pk for unit in branches)}
    assert people.remi.actor.scope(VIEW).unit_ids == both


def test_customers_see_themselves(people):
    actor = people.chidi.actor

    assert (actor.kind, actor.is_customer) == (ActorKind.CUSTOMER, True)
    assert seen_by(actor) == ["Chidi"]
    assert actor.may("identity.change_customer") is False
    assert seen_by(actor, "identity.change_customer") == []


def test_rights_of_a_membership_limit_what_it_allows(people):
    customer = people.chidi.customer
    viewer = identity.create_portal_user(
        customer_id=customer.pk,
        username="looker",
        password="looks at the lagoon",
        rights="billing",
        actor=SYSTEM,
        now=NOON,
    )

    actor = selectors.actor_for_user(viewer)

    assert actor.may("billing.view_invoice")
    assert actor.may("catalog.view_service") is False


def test_one_person_may_act_for_two_customers(people):
    from apps.identity.models import Membership

    Membership.objects.create(user=people.chidi.user, customer=people.dayo.customer)

    assert seen_by(people.chidi.actor) == ["Chidi", "Dayo"]


def test_somebody_without_a_role_sees_nothing(people):
    RoleAssignment.objects.filter(user=people.sola.user).delete()

    actor = people.sola.actor
    assert actor.scopes == {}
    assert seen_by(actor) == []


def test_the_switched_off_hold_nothing(people):
    identity.deactivate_user(user_id=people.sola.id, actor=SYSTEM, now=NOON)

    assert people.sola.actor.scopes == {}


# Grants --------------------------------------------------------------------


def test_a_grant_on_one_customer_adds_that_customer(people):
    grant = {
        "user_id": people.remi.id,
        "permission": VIEW,
        "customer_id": people.dayo.customer.pk,
        "actor": SYSTEM,
        "now": NOON,
    }

    identity.grant_on_customer(**grant)
    identity.grant_on_customer(**grant)
    assert seen_by(people.remi.actor) == ["Dayo", "Esi"]
    # django-guardian itself agrees.
    assert people.remi.user.has_perm(VIEW, people.dayo.customer) is False
    from guardian.shortcuts import get_user_perms

    assert list(get_user_perms(people.remi.user, people.dayo.customer)) == [VIEW]

    identity.revoke_on_customer(**grant)
    identity.revoke_on_customer(**grant)
    assert seen_by(people.remi.actor) == ["Esi"]


def test_a_grant_on_a_unit_reaches_the_units_below(people):
    nobody = people.hire("zed", "Zed", "auditor", unit_id=people.reseller.pk)
    RoleAssignment.objects.filter(user=nobody.user).delete()
    grant = {
        "user_id": nobody.id,
        "permission": VIEW,
        "unit_id": people.operator.pk,
        "actor": SYSTEM,
        "now": NOON,
    }

    identity.grant_on_unit(**{**grant, "unit_id": people.reseller.pk})
    assert seen_by(nobody.actor) == ["Esi"]
    identity.grant_on_unit(**grant)
    assert seen_by(nobody.actor) == ["Chidi", "Dayo", "Esi"]
    identity.revoke_on_unit(**grant)
    assert seen_by(nobody.actor) == ["Esi"]


def test_refuses_grants_that_make_no_sense(people):
    facts = {"actor": SYSTEM, "now": NOON, "user_id": people.remi.id}
    customer, unit = people.dayo.customer.pk, people.operator.pk

    with pytest.raises(UnknownPermission):
        identity.grant_on_customer(
            **facts, permission="view_customer", customer_id=customer
        )
    with pytest.raises(UnknownPermission):
        identity.grant_on_unit(**facts, permission="identity.fly", unit_id=unit)
    with pytest.raises(NotFound):
        identity.grant_on_customer(**facts, permission=VIEW, customer_id=2**40)
    with pytest.raises(UnknownUnit):
        identity.grant_on_unit(**facts, permission=VIEW, unit_id=2**40)
    with pytest.raises(NotStaff):
        identity.grant_on_unit(
            **{**facts, "user_id": people.chidi.id}, permission=VIEW, unit_id=unit
        )
    with pytest.raises(NotFound):
        identity.grant_on_unit(
            **{**facts, "user_id": 2**40}, permission=VIEW, unit_id=unit
        )


def test_the_quick_read_of_a_session_is_the_row(world):
    """The spelt-out statement keeps up with the tables, and leaves the password."""
    session = Session.objects.filter(user=world.ada.user).latest("pk")
    Session.objects.filter(pk=session.pk).update(
        ended_at=None, end_reason="", address="2001:db8::1"
    )

    read = selectors.live_session(session_id=session.pk, now=world.now)

    whole = Session.objects.get(pk=session.pk)
    assert read is not None
    for field in Session._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(whole, field.attname)
    person = User.objects.get(pk=world.ada.id)
    deferred = read.user.get_deferred_fields()
    assert deferred == {"password"}
    for field in User._meta.concrete_fields:
        if field.attname not in deferred:
            assert getattr(read.user, field.attname) == getattr(person, field.attname)
