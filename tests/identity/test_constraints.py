"""What the database refuses when somebody goes around the operations."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.identity.models import (
    Contact,
    Customer,
    Invitation,
    Membership,
    OrganisationUnit,
    Role,
    ServiceLocation,
    Session,
    TotpDevice,
    User,
)
from apps.identity.selectors.integrity import INVARIANTS
from dotmac.core.db import violated_constraint
from tests.world import NOON

pytestmark = pytest.mark.django_db


def refused(act):
    """The name of the constraint that refuses."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        act()
    return violated_constraint(error.value)


def test_customers(world):
    chidi, dayo = world.chidi.customer, world.dayo.customer
    mine = Customer.objects.filter(pk=chidi.pk)

    def change(**values):
        return refused(lambda: mine.update(**values))

    assert change(email=dayo.email.upper()) == "identity_customer_email_once"
    assert change(phone=dayo.phone) == "identity_customer_phone_once"
    assert change(phone="0803") == "identity_customer_phone_e164"
    assert change(state="closed") == "identity_customer_turn_is_written"
    assert change(closed_at=NOON) == "identity_customer_closed_has_time"
    assert change(email="", phone="") == "identity_customer_reachable"
    assert change(reference=dayo.reference) == "identity_customer_reference_key"
    mine.update(phone=dayo.phone, duplicate_confirmed=True)


def test_people_and_places(world):
    customer = world.chidi.customer
    assert (
        refused(lambda: Contact.objects.create(customer=customer, name="x", phone="1"))
        == "identity_contact_phone_e164"
    )
    for latitude, longitude in ((91, 0), (0, 181), (None, 1), (1, None)):
        assert (
            refused(
                lambda at=(latitude, longitude): ServiceLocation.objects.create(
                    customer=customer,
                    label="x",
                    address="y",
                    latitude=at[0],
                    longitude=at[1],
                )
            )
            == "identity_servicelocation_on_earth"
        )
    membership = {"user": world.chidi.user, "customer": customer}
    assert (
        refused(lambda: Membership.objects.create(**membership))
        == "identity_membership_once"
    )


def test_users(world):
    user = User.objects.filter(pk=world.chidi.user.pk)
    assert world.ada

    def change(**values):
        return refused(lambda: user.update(**values))

    assert change(username="Chidi") == "identity_user_username_lower"
    assert change(username="") == "identity_user_username_lower"
    assert change(username="ada") == "identity_user_username_key"
    assert change(is_superuser=True) == "identity_user_superuser_is_staff"
    user.update(email="x@y.example")
    other = User.objects.filter(username="ada")
    assert (
        refused(lambda: other.update(email="X@y.example")) == "identity_user_email_once"
    )


def test_units_and_roles(world):
    root = world.operator

    def create(**values):
        return refused(lambda: OrganisationUnit.objects.create(name="x", **values))

    assert create(kind="operator") == "identity_organisationunit_one_operator"
    assert create(kind="branch") == "identity_organisationunit_root_is_operator"
    assert (
        create(kind="operator", parent=root)
        == "identity_organisationunit_root_is_operator"
    )
    reseller = OrganisationUnit.objects.filter(pk=world.reseller.pk)
    assert (
        refused(lambda: reseller.update(parent=world.reseller.pk))
        == "identity_organisationunit_not_own_parent"
    )
    assert refused(lambda: Role.objects.create(slug="owner")) == (
        "identity_role_slug_key"
    )


def test_sessions_and_devices(world):
    ada = world.ada.user
    session = Session.objects.filter(user=ada)

    assert refused(lambda: session.update(end_reason="")) == (
        "identity_session_ends_with_reason"
    )
    assert refused(lambda: session.update(expires_at=NOON - timedelta(days=9999))) == (
        "identity_session_expires_later"
    )
    device = TotpDevice.objects.get(user=ada)
    assert refused(
        lambda: TotpDevice.objects.create(user=ada, confirmed=True, seed=device.seed)
    ) == ("identity_totpdevice_one_each")
    link = {"user": ada, "expires_at": NOON}
    Invitation.objects.create(**link, digest="a")
    assert refused(lambda: Invitation.objects.create(**link, digest="b")) == (
        "identity_invitation_one_open"
    )


def test_the_cast_breaks_no_invariant(world):
    for person in (world.ada, world.chidi, world.esi, world.remi):
        world.api(person)

    assert offending() == {}


def offending():
    found = {}
    for invariant in INVARIANTS:
        with connection.cursor() as cursor:
            cursor.execute(invariant.sql)
            if rows := cursor.fetchall():
                found[invariant.name] = len(rows)
    return found


def test_the_invariants_find_what_is_wrong(world):
    assert world.ada
    world.api(world.bisi)
    Membership.objects.create(user=world.bisi.user, customer=world.chidi.customer)
    Customer.objects.filter(pk=world.chidi.customer.pk).update(reference="C-1")
    Session.objects.filter(stage="full").update(mfa_at=None)
    User.objects.filter(pk=world.ada.id).update(is_active=False)
    below = world.reseller
    branch = OrganisationUnit.objects.create(name="b", kind="branch", parent=below)
    OrganisationUnit.objects.filter(pk=below.pk).update(parent=branch)

    assert set(offending()) == {
        "identity.roles_are_staff",
        "identity.reference_is_of_its_row",
        "identity.staff_sessions_have_mfa",
        "identity.owner_remains",
        "identity.units_reach_the_operator",
    }
