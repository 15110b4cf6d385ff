"""Customers who come in through a provider: only to their own account."""

import pytest
from django.test import Client

from apps.federation.selectors import held_of
from apps.identity import operations as identity
from apps.identity.models import Membership, User
from apps.ops.models import AuditEntry
from tests.federation.making import map_group
from tests.federation.ways import (
    answered,
    ask,
    assert_refused,
    come_in,
    nobody_linked,
    session_of,
)
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


@pytest.fixture
def at_portal(portal_provider, connect):
    """at_portal(**facts) is a connection for customers."""

    def made(**facts):
        portal_provider.person |= {
            "email": "chidi@mail.example", "name": "Chidi",
        }  # fmt: skip
        return connect(
            portal_provider, audience="customer", domains=["mail.example"], **facts
        )

    return made


def test_a_customer_with_a_proved_address_comes_in(world, portal_provider, at_portal):
    at_portal()
    user = world.chidi.user
    user.email = "chidi@mail.example"
    user.save()
    assert_refused(come_in(door="portal"), "linked_otherwise")
    from apps.identity.operations.emails import prove_email

    prove_email(user=user, email=user.email, now=world.now)
    browser = Client()
    assert come_in(browser, "portal")["Location"] == "/portal/"
    assert session_of(browser, "portal").user_id == user.pk
    assert browser.get("/portal/").status_code == 200
    assert browser.get("/console/").status_code == 302


def test_a_customer_without_a_sign_in_gets_one(world, portal_provider, at_portal):
    at_portal(makes_accounts=True)
    customer = identity.register_customer(
        kind="individual", name="Chidi Eze", email="Chidi@mail.example",
        actor=SYSTEM, now=world.now,
    )  # fmt: skip
    browser = Client()
    assert come_in(browser, "portal")["Location"] == "/portal/"
    member = Membership.objects.get(customer=customer)
    assert member.user_id == session_of(browser, "portal").user_id
    assert member.rights == "full"
    assert come_in(Client(), "portal").status_code == 302


def test_a_customer_whom_somebody_acts_for_gets_nobody_new(
    world, portal_provider, at_portal
):
    at_portal(makes_accounts=True)
    assert world.chidi
    assert_refused(come_in(door="portal"), "no_account")
    assert Membership.objects.count() == 1


def test_nobody_without_a_contract_gets_an_account(world, portal_provider, at_portal):
    at_portal(makes_accounts=True)
    before = User.objects.count()
    assert_refused(come_in(door="portal"), "no_account")
    assert User.objects.count() == before


def test_staff_do_not_come_in_at_the_portal(world, portal_provider, connect):
    connect(portal_provider, audience="customer")
    assert world.sola
    assert_refused(come_in(door="portal"), "linked_otherwise")


def test_a_customers_groups_give_no_role(world, portal_provider, at_portal):
    from apps.identity.errors import NotStaff

    row = at_portal(makes_accounts=True)
    with pytest.raises(NotStaff):
        map_group(row, "everybody", "support", world.operator.pk)


def test_a_customers_second_factor_is_asked(world, portal_provider, at_portal):
    from django.utils import timezone

    from apps.identity.models import TotpDevice
    from apps.identity.operations.emails import prove_email

    at_portal()
    user = world.chidi.user
    user.email = "chidi@mail.example"
    user.save()
    prove_email(user=user, email=user.email, now=timezone.now())
    TotpDevice.objects.create(user=user, confirmed=True, name="t", seed=b"-")
    assert "/portal/sign-in/code" in come_in(door="portal")["Location"]


def test_the_way_back_is_the_one_that_was_begun(world, portal_provider, at_portal):
    at_portal()
    browser = Client()
    path = answered(ask(browser, "portal"))
    assert path.startswith("/portal/federation/")
    assert browser.get(path.replace("/portal/", "/console/")).status_code == 404


def test_the_provider_s_word_on_a_customer_is_told_forgotten_and_in_no_audit(
    world, portal_provider, at_portal
):
    at_portal(makes_accounts=True)
    customer = identity.register_customer(
        kind="individual", name="Femi", email="femi@mail.example", actor=SYSTEM,
        now=world.now,
    )  # fmt: skip
    portal_provider.person |= {"email": customer.email, "name": "Femi"}
    assert come_in(door="portal").status_code == 302
    user = User.objects.get(email=customer.email)
    assert ("@" in user.username, user.sign_in_name) == (False, customer.email)
    entries = AuditEntry.objects.filter(action__in=(
        "federation.admit_person", "identity.create_portal_user",
    ))  # fmt: skip
    assert entries.count() == 2
    for entry in entries:
        assert customer.email not in f"{entry.subject_label} {entry.changes}"
    [held] = held_of(customer.pk)
    [told] = held.rows
    assert (told["subject"], told["email"]) == ("p-1", customer.email)

    identity.erase_customer(
        customer_id=customer.pk, confirm=customer.reference, actor=SYSTEM,
        now=world.now,
    )  # fmt: skip
    assert nobody_linked()
