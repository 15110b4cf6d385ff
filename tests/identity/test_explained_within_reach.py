"""What is explained to somebody stays within what he may see."""

import pytest

from apps.identity import operations as identity
from apps.identity.models import AccessRule, Membership
from tests.identity.test_access_rules import write
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@pytest.fixture
def rita(world):
    """Manages the reseller: holds view_access and, in vain, view_rule there."""
    return world.hire("rita", "Rita Sani", "manager", unit_id=world.reseller.pk)


def page_of(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_shared_member_shows_no_foreign_customer(world, rita):
    esi, dayo = world.esi, world.dayo.customer
    Membership.objects.create(user=esi.user, customer=dayo)
    for who, sees in ((rita, False), (world.ada, True)):
        page = page_of(enter(who), "/console/access-of?user=esi")
        assert "Esi Mensah" in page
        assert (dayo.reference in page) is sees
        told = world.api(who).get(f"/api/v1/access/of?user={esi.id}").content.decode()
        assert esi.customer.reference in told
        assert (dayo.name in told) is sees


def test_a_shared_colleague_shows_no_foreign_customer_and_unit(world, rita):
    dayo, esi = world.dayo.customer, world.esi.customer
    east = identity.create_unit(
        name="East", kind="branch", parent_id=world.operator.pk, actor=SYSTEM, now=NOON
    )
    facts = {"user_id": world.remi.id, "actor": SYSTEM, "now": NOON}
    identity.assign_role(role_slug="auditor", unit_id=east.pk, **facts)
    for customer in (dayo, esi):
        identity.grant_on_customer(
            permission="catalog.order_service", customer_id=customer.pk, **facts
        )
    identity.grant_on_unit(permission="catalog.order_service", unit_id=east.pk, **facts)
    for who, sees in ((rita, False), (world.ada, True)):
        page = page_of(enter(who), "/console/access-of?user=remi")
        assert "Kano Reseller" in page
        assert esi.reference in page
        assert ("Within your reach." in page) is not sees
        for word in (dayo.reference, dayo.name, "East", "Auditor"):
            assert (word in page) is sees, (who.username, word)


def test_conditions_are_for_those_who_see_rules(world, rita):
    made = write(
        name="Office", permissions=["identity.view_customer"],
        expression="in_network(request.address, '127.0.0.0/8')",
    )  # fmt: skip
    AccessRule.objects.filter(pk=made.pk).update(state="on")
    esi = world.esi.customer
    addresses = (
        f"/console/access?permission=identity.view_customer&customer={esi.reference}",
        "/console/access-of?user=esi",
        f"/console/customers/{esi.pk}?tab=access",
    )
    for who, sees in ((rita, False), (world.ada, True)):
        browser, api = enter(who), world.api(who)
        for address in addresses:
            assert ("127.0.0.0/8" in page_of(browser, address)) is sees, address
        for query in (
            f"explain?permission=identity.view_customer&customer={esi.pk}",
            f"of?user={world.esi.id}",
        ):
            told = api.get(f"/api/v1/access/{query}").json()
            assert [rule["slug"] for rule in told["rules"]] == ["office"] * sees
