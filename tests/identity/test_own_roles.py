"""Own roles, and that nobody gives or takes beyond his own rights."""

from typing import Any

import pytest

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    BeyondOwnRights,
    BuiltInRole,
    LastOwner,
    RoleInUse,
    RoleTaken,
    UnknownPermission,
)
from apps.identity.models import Membership, Role, RoleAssignment, RolePermission
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
VIEW, CLOSE = "identity.view_customer", "identity.close_customer"


def make(world, name="Night shift", permissions=(VIEW,), actor=SYSTEM):
    return identity.create_role(
        name=name, permissions=permissions, actor=actor, now=NOON
    )


def give(person, slug, unit, actor=SYSTEM):
    return identity.assign_role(
        user_id=person.id, role_slug=slug, unit_id=unit.pk, actor=actor, now=NOON
    )


def held(role):
    rows = RolePermission.objects.filter(role=role)
    return set(rows.values_list("permission", flat=True))


def test_a_role_of_ones_own_allows_what_it_says(world):
    person = world.hire("zed", "Zed", "auditor")
    RoleAssignment.objects.filter(user=person.user).delete()
    role = make(world)
    give(person, role.slug, world.operator)

    assert set(person.actor.scopes) == {VIEW}
    identity.change_role(
        role_id=role.pk, name="Night", permissions=[VIEW, CLOSE], actor=SYSTEM, now=NOON
    )
    assert set(person.actor.scopes) == {VIEW, CLOSE}
    role.refresh_from_db()
    assert (role.name, role.slug) == ("Night", "night-shift")
    with pytest.raises(RoleInUse):
        identity.delete_role(role_id=role.pk, actor=SYSTEM, now=NOON)
    identity.unassign_role(
        user_id=person.id, role_slug=role.slug, unit_id=world.operator.pk,
        actor=SYSTEM, now=NOON,
    )  # fmt: skip
    identity.delete_role(role_id=role.pk, actor=SYSTEM, now=NOON)
    assert not Role.objects.filter(pk=role.pk).exists()


def test_a_role_changed_to_what_it_is_is_not_written_down(world):
    role = make(world)
    identity.change_role(
        role_id=role.pk, name=role.name, permissions=[VIEW], actor=SYSTEM, now=NOON
    )

    assert not AuditEntry.objects.filter(action="identity.change_role").exists()


def test_syncing_leaves_own_roles_alone(world):
    role = make(world)
    identity.sync_roles(operator_name="x", actor=SYSTEM, now=NOON)
    assert held(role) == {VIEW}


@pytest.mark.parametrize("name", ["owner", "night-shift", "*", "identity.*", "", "a b"])
def test_a_role_holds_permissions_never_roles_or_patterns(world, name):
    """A role that names itself, or another, is no permission."""
    role = make(world)
    with pytest.raises(UnknownPermission):
        identity.change_role(
            role_id=role.pk, permissions=[VIEW, name], actor=SYSTEM, now=NOON
        )
    assert held(role) == {VIEW}


def test_names_are_taken_once_and_those_of_dotmac_always(world):
    make(world)
    for name in ("Night  shift", "Owner", "billing clerk"):
        with pytest.raises(RoleTaken):
            make(world, name=name)
    for name in ("", "!!!", "x" * 100):
        with pytest.raises(InvalidInput):
            make(world, name=name)


def test_what_comes_with_dotmac_stays_as_it_is(world):
    owner = Role.objects.get(slug="owner")
    with pytest.raises(BuiltInRole):
        identity.change_role(role_id=owner.pk, name="x", actor=SYSTEM, now=NOON)
    with pytest.raises(BuiltInRole):
        identity.delete_role(role_id=owner.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(NotFound):
        identity.delete_role(role_id=2**40, actor=SYSTEM, now=NOON)


# Nobody beyond himself ---------------------------------------------------------


def branch_head(world):
    """Manages roles at the reseller, and holds there what support holds."""
    grant = {"user_id": world.remi.id, "unit_id": world.reseller.pk, "actor": SYSTEM,
             "now": NOON}  # fmt: skip
    for name in ("identity.manage_roles", "identity.grant_access"):
        identity.grant_on_unit(permission=name, **grant)
    return world.remi.actor


def test_a_branch_head_gives_what_he_holds_where_he_holds_it(world):
    actor = branch_head(world)
    give(world.bisi, "support", world.reseller, actor=actor)

    for slug, unit in (
        ("support", world.operator),
        ("manager", world.reseller),
        ("owner", world.reseller),
        ("owner", world.operator),
    ):
        with pytest.raises(BeyondOwnRights) as refusal:
            give(world.bisi, slug, unit, actor=actor)
        assert refusal.value.facts["missing"]
        with pytest.raises(BeyondOwnRights):  # to himself
            give(world.remi, slug, unit, actor=world.remi.actor)
    rows = RoleAssignment.objects.filter(user=world.bisi.user)
    assert {row.role.slug for row in rows} == {"billing-clerk", "support"}


def test_nobody_takes_a_role_from_above_himself(world):
    actor = branch_head(world)
    assert world.mina
    with pytest.raises(BeyondOwnRights):
        identity.unassign_role(
            user_id=world.mina.id, role_slug="manager", unit_id=world.operator.pk,
            actor=actor, now=NOON,
        )  # fmt: skip
    assert world.mina.actor.may("ops.retry_event")


def test_an_own_role_cannot_grow_beyond_its_author(world):
    role = make(world)
    actor = branch_head(world)
    with pytest.raises(BeyondOwnRights):
        make(world, name="Mine", permissions=[VIEW], actor=actor)
    with pytest.raises(BeyondOwnRights):
        identity.change_role(
            role_id=role.pk, permissions=[VIEW, CLOSE], actor=actor, now=NOON
        )
    with pytest.raises(BeyondOwnRights):
        identity.change_role(role_id=role.pk, permissions=[], actor=actor, now=NOON)
    assert held(role) == {VIEW}


def test_grants_too_stay_within_own_rights(world):
    actor = branch_head(world)
    facts = {"user_id": world.bisi.id, "actor": actor, "now": NOON}
    chidi, esi = world.chidi.customer.pk, world.esi.customer.pk

    identity.grant_on_customer(permission=VIEW, customer_id=esi, **facts)
    identity.grant_on_unit(permission=VIEW, unit_id=world.reseller.pk, **facts)
    for grant in (
        lambda: identity.grant_on_customer(permission=VIEW, customer_id=chidi, **facts),
        lambda: identity.grant_on_customer(permission=CLOSE, customer_id=esi, **facts),
        lambda: identity.grant_on_unit(
            permission=VIEW, unit_id=world.operator.pk, **facts
        ),
        lambda: identity.revoke_on_customer(
            permission=VIEW, customer_id=chidi, **facts
        ),
        lambda: identity.revoke_on_unit(
            permission=VIEW, unit_id=world.operator.pk, **facts
        ),
    ):
        with pytest.raises(BeyondOwnRights):
            grant()
    with pytest.raises(NotFound):
        identity.grant_on_customer(permission=VIEW, customer_id=2**40, **facts)


def test_nobody_takes_over_the_sign_in_of_a_more_powerful_person(world):
    """A manager may reset authenticators, but not the owner's."""
    for act in (identity.invite_staff, identity.reset_mfa, identity.deactivate_user):
        with pytest.raises(BeyondOwnRights):
            act(user_id=world.ada.id, actor=world.mina.actor, now=NOON)
    assert identity.reset_mfa(
        user_id=world.sola.id, actor=world.mina.actor, now=NOON
    ).token
    with pytest.raises(BeyondOwnRights):
        identity.reset_mfa(user_id=world.sola.id, actor=world.remi.actor, now=NOON)


def test_who_adds_staff_gives_no_more_than_he_holds(world):
    facts: dict[str, Any] = {
        "email": "",
        "name": "New",
        "actor": world.mina.actor,
        "now": NOON,
    }
    identity.create_staff(username="fresh", role_slug="support", **facts)
    with pytest.raises(BeyondOwnRights):
        identity.create_staff(username="boss", role_slug="owner", **facts)


def test_the_last_owner_cannot_demote_himself(world):
    with pytest.raises(LastOwner):
        identity.unassign_role(
            user_id=world.ada.id, role_slug="owner", unit_id=world.operator.pk,
            actor=world.ada.actor, now=NOON,
        )  # fmt: skip
    assert world.ada.actor.may("identity.manage_roles")


def test_what_is_about_the_whole_reaches_nothing_in_a_part(world):
    engineer = world.hire("efe", "Efe", "network-engineer", unit_id=world.reseller.pk)
    assert engineer.actor.may("network.view_nas") is False
    assert engineer.actor.may("network.view_account")
    assert world.nuru.actor.may("network.view_nas")
    found = selectors.what_may(engineer.user, SYSTEM, "identity.view_access")
    held_rights = {one.permission: one for one in found}
    assert held_rights["network.view_nas"].idle is True
    assert held_rights["network.view_account"].idle is False


# Different rights for different customers --------------------------------------


def test_rights_differ_by_customer(world):
    """Everything for Chidi, a look at Dayo."""
    from tests.billing.owing import bill
    from tests.sessions import enter

    chidi, dayo = world.chidi.customer, world.dayo.customer
    Membership.objects.create(user=world.chidi.user, customer=dayo, rights="view")
    own, other = bill(chidi), bill(dayo)
    actor = world.chidi.actor
    assert actor.scope("catalog.view_service").named_customers() == {chidi.pk, dayo.pk}
    assert actor.scope("billing.view_invoice").named_customers() == {chidi.pk}

    phone = enter(world.chidi, face="portal", key="portal_sid")
    assert phone.get("/portal/bills").status_code == 200
    assert phone.get(f"/portal/bills/{own.pk}").status_code == 200
    home = phone.get("/portal/").content.decode()
    assert dayo.name in home  # the switch
    assert phone.post("/portal/choose", {"customer": dayo.pk}).status_code == 302

    switched = phone.get("/portal/")
    assert switched.status_code == 200
    assert "/portal/bills" not in switched.content.decode()
    assert phone.get("/portal/services").status_code == 200
    assert phone.get("/portal/bills").status_code == 404
    assert phone.get("/portal/pay").status_code == 404
    for bill_of in (own, other):
        assert phone.get(f"/portal/bills/{bill_of.pk}").status_code == 404


def test_bills_only_shows_no_service_and_no_usage(world):
    from tests.sessions import enter

    Membership.objects.filter(user=world.chidi.user).update(rights="billing")
    phone = enter(world.chidi, face="portal", key="portal_sid")
    assert phone.get("/portal/").status_code == 200
    assert phone.get("/portal/bills").status_code == 200
    assert phone.get("/portal/services").status_code == 404
    assert phone.get("/portal/usage").status_code == 404


# Explained ---------------------------------------------------------------------


def paths(permission, customer):
    return {
        (path.username, path.how, path.through, path.where)
        for path in selectors.who_may(permission, customer)
    }


def test_who_can_see_a_customer_and_why(world):
    esi = world.esi.customer
    assert world.remi
    assert world.sola
    identity.grant_on_customer(
        user_id=world.bisi.id, permission="catalog.order_service", customer_id=esi.pk,
        actor=SYSTEM, now=NOON,
    )  # fmt: skip
    identity.grant_on_unit(
        user_id=world.bisi.id, permission="catalog.order_service",
        unit_id=world.reseller.pk, actor=SYSTEM, now=NOON,
    )  # fmt: skip

    assert paths("catalog.order_service", esi) == {
        ("remi", "role", "Support", "Kano Reseller"),
        ("sola", "role", "Support", "Demo ISP"),
        ("bisi", "customer_grant", "", "Esi Mensah"),
        ("bisi", "unit_grant", "", "Kano Reseller"),
    }
    assert ("esi", "membership", "full", "Esi Mensah") in paths(
        "billing.view_invoice", esi
    )
    chidi = paths("catalog.order_service", world.chidi.customer)
    assert {who for who, *_ in chidi} == {"sola"}
    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=NOON)
    assert paths("catalog.order_service", world.chidi.customer) == set()


def test_who_may_agrees_with_what_each_reaches(world):
    """The page names exactly those whose scope reaches the customer."""
    from dotmac.core.permissions import catalogue

    people = [world.ada, world.mina, world.sola, world.bisi, world.nuru, world.femi,
              world.remi, world.chidi, world.esi]  # fmt: skip
    actors = {one.username: one.actor for one in people}
    for permission in catalogue():
        for customer in (world.chidi.customer, world.esi.customer):
            named = {path.username for path in selectors.who_may(permission, customer)}
            reaching = {
                name
                for name, actor in actors.items()
                if (scope := actor.scope(permission)).everything
                or customer.unit_id in scope.unit_ids
                or scope.names_customer(customer.pk)
            }
            assert named == reaching, (permission, customer.name)


def test_the_api_explains_within_reach(world):
    api = world.api(world.ada)
    esi = world.esi.customer
    assert world.remi
    found = api.get(
        f"/api/v1/access/explain?permission=identity.view_customer&customer={esi.pk}"
    ).json()
    assert {path["username"] for path in found["paths"]} == {"ada", "remi", "esi"}
    assert found["rules"] == []
    what = api.get(f"/api/v1/access/of?user={world.esi.id}").json()
    assert "billing.view_invoice" in {held["permission"] for held in what["held"]}
    for query in ("", "?permission=x.y&customer=1", "?permission=identity.view_customer",
                  "?permission=identity.view_customer&customer=abc"):  # fmt: skip
        assert api.get(f"/api/v1/access/explain{query}").status_code == 400
    for path in ("explain?permission=identity.view_customer&customer=999999999",
                 "of?user=999999999"):  # fmt: skip
        assert api.get(f"/api/v1/access/{path}").status_code == 404


def test_a_request_carries_no_grants_and_reads_only_those_asked_for(
    world, django_assert_num_queries
):
    chidi, esi = world.chidi.customer, world.esi.customer
    dayo = world.dayo.customer
    for customer in (chidi, dayo):
        identity.grant_on_customer(
            user_id=world.remi.id,
            customer_id=customer.pk,
            permission=VIEW,
            actor=SYSTEM,
            now=NOON,
        )
    actor = world.remi.actor
    scope = actor.scopes[VIEW]
    assert scope.customer_ids == frozenset()
    assert len(scope.granted) == 1
    with django_assert_num_queries(1):
        assert set(selectors.customers_visible_to(actor, VIEW)) == {chidi, dayo, esi}
    with django_assert_num_queries(2):
        assert scope.names_customer(dayo.pk)
        assert not scope.names_customer(esi.pk)
    assert scope.named_customers() == {chidi.pk, dayo.pk}
    identity.revoke_on_customer(
        user_id=world.remi.id,
        customer_id=dayo.pk,
        permission=VIEW,
        actor=SYSTEM,
        now=NOON,
    )
    assert set(selectors.customers_visible_to(actor, VIEW)) == {chidi, esi}
