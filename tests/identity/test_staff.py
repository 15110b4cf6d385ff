"""Staff, units and portal users, by operations."""

import pytest
from django.core.management import CommandError, call_command

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    BeyondOwnRights,
    CustomerClosed,
    EmailTaken,
    LastOwner,
    MalformedEmail,
    NotStaff,
    UnknownRole,
    UnknownUnit,
    UsernameTaken,
    WeakPassword,
)
from apps.identity.models import (
    Customer,
    Session,
    User,
)
from apps.ops.models import AuditEntry
from dotmac.core.errors import Conflict, InvalidInput, NotFound
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


# Staff ---------------------------------------------------------------------


def hire(**facts):
    values = {
        "username": "tayo",
        "email": "tayo@demo-isp.example",
        "name": "Tayo",
        "role_slug": "support",
        **facts,
    }
    return identity.create_staff(**values, actor=SYSTEM, now=NOON)


@pytest.mark.security
def test_nobody_switches_on_again_who_may_do_more(world):
    """Mina may switch sign-ins off and on; an owner was switched off by an owner."""
    assert world.ada
    other = world.hire("obi", "Obi Eze", "owner")
    identity.deactivate_user(user_id=other.id, actor=SYSTEM, now=NOON)
    with pytest.raises(BeyondOwnRights):
        identity.reactivate_user(user_id=other.id, actor=world.mina.actor, now=NOON)
    assert User.objects.get(pk=other.id).is_active is False

    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=NOON)
    identity.reactivate_user(user_id=world.sola.id, actor=world.mina.actor, now=NOON)
    assert User.objects.get(pk=world.sola.id).is_active


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"username": "ADA"}, UsernameTaken),
        ({"email": "Ada@demo-isp.example"}, EmailTaken),
        ({"username": "a b"}, InvalidInput),
        ({"username": "ab"}, InvalidInput),
        ({"email": "nonsense"}, MalformedEmail),
        ({"role_slug": "king"}, UnknownRole),
        ({"unit_id": 2**40}, UnknownUnit),
    ],
)
def test_refuses_staff_and_leaves_no_trace(world, facts, refusal):
    assert world.ada
    from django.db import transaction

    with pytest.raises(refusal), transaction.atomic():
        hire(**facts)

    assert User.objects.filter(kind="staff").count() == 1


def test_deactivation_ends_sessions_at_once(world):
    assert world.ada
    api = world.api(world.bisi)
    assert api.get("/api/v1/customers").status_code == 200

    identity.deactivate_user(user_id=world.bisi.id, actor=SYSTEM, now=NOON)
    identity.deactivate_user(user_id=world.bisi.id, actor=SYSTEM, now=NOON)

    assert api.get("/api/v1/customers").status_code == 401
    session = Session.objects.filter(user=world.bisi.user).latest("pk")
    assert session.end_reason == "deactivated"
    entry = AuditEntry.objects.get(action="identity.deactivate_user")
    assert entry.changes == {"sessions_ended": 1}
    # Coming back opens no old session.
    identity.reactivate_user(user_id=world.bisi.id, actor=SYSTEM, now=NOON)
    identity.reactivate_user(user_id=world.bisi.id, actor=SYSTEM, now=NOON)
    assert api.get("/api/v1/customers").status_code == 401
    with pytest.raises(NotFound):
        identity.reactivate_user(user_id=2**40, actor=SYSTEM, now=NOON)


def test_a_role_that_was_taken_away_is_gone_on_the_next_request(world):
    api = world.api(world.bisi)
    assert api.get("/api/v1/customers").status_code == 200
    step = {
        "user_id": world.bisi.id,
        "role_slug": "billing-clerk",
        "unit_id": world.operator.pk,
        "actor": SYSTEM,
        "now": NOON,
    }

    identity.unassign_role(**step)
    identity.unassign_role(**step)

    assert api.get("/api/v1/customers").status_code == 403


def test_the_last_owner_stays(world):
    step = {
        "user_id": world.ada.id,
        "role_slug": "owner",
        "unit_id": world.operator.pk,
        "actor": SYSTEM,
        "now": NOON,
    }

    with pytest.raises(LastOwner):
        identity.unassign_role(**step)
    with pytest.raises(LastOwner):
        identity.deactivate_user(user_id=world.ada.id, actor=SYSTEM, now=NOON)
    identity.assign_role(**{**step, "user_id": world.bisi.id})
    identity.assign_role(**{**step, "user_id": world.bisi.id})
    identity.unassign_role(**step)

    assert world.ada.actor.scopes == {}
    assert world.bisi.actor.may("identity.manage_roles")


def test_refuses_roles_for_whom_they_do_not_fit(world):
    step = {
        "role_slug": "owner",
        "unit_id": world.operator.pk,
        "actor": SYSTEM,
        "now": NOON,
    }
    with pytest.raises(NotStaff):
        identity.assign_role(**step, user_id=world.chidi.id)
    for operation in (identity.assign_role, identity.unassign_role):
        with pytest.raises(NotFound):
            operation(**step, user_id=2**40)


def test_units_have_a_place_and_a_name_of_their_own(world):
    facts = {"name": "Ibadan", "kind": "branch", "parent_id": world.operator.pk}

    identity.create_unit(**facts, actor=SYSTEM, now=NOON)
    from django.db import transaction

    with pytest.raises(Conflict), transaction.atomic():
        identity.create_unit(**facts, actor=SYSTEM, now=NOON)
    with pytest.raises(InvalidInput):
        identity.create_unit(**{**facts, "kind": "operator"}, actor=SYSTEM, now=NOON)
    with pytest.raises(UnknownUnit):
        identity.create_unit(**{**facts, "parent_id": 2**40}, actor=SYSTEM, now=NOON)


def test_staff_are_seen_within_the_scope(people):
    everybody = selectors.staff_visible_to(people.ada.actor, "identity.view_staff")
    assert "ada" in {user.username for user in everybody}
    assert people.remi
    reseller_auditor = people.hire(
        "kemi", "Kemi", "auditor", unit_id=people.reseller.pk
    )

    seen = selectors.staff_visible_to(reseller_auditor.actor, "identity.view_staff")

    assert {user.username for user in seen} == {"remi", "kemi"}
    members = selectors.staff_members(seen.order_by("username"))
    assert [(m.username, m.roles, m.enrolled) for m in members] == [
        ("kemi", ("Auditor (Kano Reseller)",), True),
        ("remi", ("Support (Kano Reseller)",), True),
    ]


# Portal users --------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"username": "chidi"}, UsernameTaken),
        ({"password": "short"}, WeakPassword),
        ({"rights": "all"}, InvalidInput),
        ({"customer_id": 2**40}, NotFound),
    ],
)
def test_refuses_portal_users(world, facts, refusal):
    values = {
        "customer_id": world.chidi.customer.pk,
        "username": "new",
        "password": "walks along the lagoon",
        **facts,
    }
    from django.db import transaction

    with pytest.raises(refusal), transaction.atomic():
        identity.create_portal_user(**values, actor=SYSTEM, now=NOON)


def test_closed_customers_get_no_new_portal_user(world):
    customer = world.chidi.customer
    identity.close_customer(customer_id=customer.pk, actor=SYSTEM, now=NOON)

    with pytest.raises(CustomerClosed):
        identity.create_portal_user(
            customer_id=customer.pk,
            username="new",
            password="walks along the lagoon",
            actor=SYSTEM,
            now=NOON,
        )
    assert Customer.objects.get(pk=customer.pk).state == "closed"


# The first owner -----------------------------------------------------------


def test_the_command_invites_the_first_owner(world, capsys):
    call_command("invite_staff", "boss", "--name", "The Boss", "--admin")

    said = capsys.readouterr().out
    token = said.rsplit("/console/invitation/", 1)[1].strip()
    user = User.objects.get(username="boss")
    assert selectors.invited_user(token=token, now=user.created_at) == user
    assert (user.is_superuser, user.is_staff) == (True, True)
    call_command("invite_staff", "boss", "--reset")
    assert AuditEntry.objects.filter(action="identity.reset_mfa").exists()
    with pytest.raises(CommandError, match="no such role"):
        call_command("invite_staff", "other", "--role", "king")


def test_a_new_portal_password_ends_what_the_old_one_opened(world):
    customer, chidi = world.chidi.customer, world.chidi
    phone = world.portal(chidi)
    step = {
        "customer_id": customer.pk,
        "user_id": chidi.id,
        "password": "the canoe is blue today",
        "actor": SYSTEM,
        "now": NOON,
    }

    with pytest.raises(WeakPassword):
        identity.set_portal_password(**{**step, "password": "short"})
    for stranger in (world.dayo.id, world.ada.id, 2**40):
        with pytest.raises(NotFound):
            identity.set_portal_password(**{**step, "user_id": stranger})
    identity.set_portal_password(**step)

    assert phone.get("/portal/").status_code == 302
    chidi.password = "the canoe is blue today"
    assert world.portal(chidi).get("/portal/").status_code == 200
    entry = AuditEntry.objects.get(action="identity.set_portal_password")
    assert (entry.customer_id, entry.changes) == (customer.pk, {"sessions_ended": 1})
