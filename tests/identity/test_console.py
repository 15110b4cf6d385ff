"""Staff screens of identity, through the shell."""

import pytest

from apps.identity.models import Contact, Customer, Membership, ServiceLocation

pytestmark = pytest.mark.django_db

FACTS = {
    "name": "Ngozi Ltd",
    "kind": "business",
    "email": "office@ngozi.example",
    "phone": "0803 555 0001",
    "state": "prospect",
    "country": "NG",
}


@pytest.fixture
def sola(world):
    return world.console(world.sola)


def test_lists_searches_and_filters(world, sola):
    assert world.chidi
    assert world.dayo

    everybody = sola.get("/console/customers").content.decode()
    assert "Chidi Eze" in everybody
    assert "Dayo Ojo" in everybody
    found = sola.get("/console/customers?q=0803 100 0001").content.decode()
    assert "Chidi Eze" in found
    assert "Dayo Ojo" not in found
    active = sola.get("/console/customers?state=active").content.decode()
    assert "Chidi Eze" not in active
    hits = sola.get("/console/search?q=chidi").content.decode()
    assert "Chidi Eze" in hits


def test_branch_staff_see_their_branch_alone(world):
    assert world.chidi
    assert world.esi
    remi = world.console(world.remi)

    page = remi.get("/console/customers").content.decode()
    assert "Esi Mensah" in page
    assert "Chidi Eze" not in page
    assert remi.get(f"/console/customers/{world.chidi.customer.pk}").status_code == 404


def test_registers_a_customer(world, sola):
    page = sola.get("/console/customers/new")
    assert page.status_code == 200

    answer = sola.post(
        "/console/customers/new", {**FACTS, "unit_id": world.operator.pk}
    )

    customer = Customer.objects.get()
    assert answer["Location"] == f"/console/customers/{customer.pk}"
    assert customer.phone == "+2348035550001"


def test_marks_the_field_that_is_wrong_and_keeps_what_was_typed(world, sola):
    unit = world.operator.pk
    bad = sola.post(
        "/console/customers/new", {**FACTS, "phone": "12", "unit_id": unit}
    ).content.decode()
    assert "This is not a telephone number." in bad
    assert "office@ngozi.example" in bad
    sola.post("/console/customers/new", {**FACTS, "unit_id": unit})

    again = sola.post("/console/customers/new", {**FACTS, "unit_id": unit})
    reference = Customer.objects.get().reference
    assert f"See {reference}." in again.content.decode()
    sola.post(
        "/console/customers/new",
        {**FACTS, "unit_id": unit, "confirm_duplicate": "on"},
    )

    assert Customer.objects.count() == 2


def test_edits_from_the_customer_page(world, sola):
    customer = world.chidi.customer
    url = f"/console/customers/{customer.pk}"
    assert "Chidi" in sola.get(f"{url}?tab=people").content.decode()
    form = sola.get(f"{url}/edit").content.decode()
    assert "12 Broad Street" in form

    sola.post(
        f"{url}/edit",
        {
            "name": "Chidi E. Eze",
            "kind": "individual",
            "phone": customer.phone,
            "unit_id": customer.unit_id,
        },
    )

    customer.refresh_from_db()
    assert (customer.name, customer.email) == ("Chidi E. Eze", "")


def test_adds_people_and_places(world, sola):
    customer = world.dayo.customer
    url = f"/console/customers/{customer.pk}"

    place = {
        "label": "shop",
        "address": "1 Marina",
        "latitude": "6.45",
        "longitude": "3.4",
    }
    sola.post(f"{url}/add-location", place)
    sola.post(f"{url}/add-contact", {"name": "Ify", "role": "billing"})
    password = "the lagoon is wide today"
    sola.post(
        f"{url}/create-portal-user",
        {"username": "ify", "password": password, "rights": "view"},
    )

    assert ServiceLocation.objects.get().label == "shop"
    assert Contact.objects.get().name == "Ify"
    assert Membership.objects.filter(customer=customer, user__username="ify").exists()
    people = sola.get(f"{url}?tab=people").content.decode()
    assert "1 Marina" in people
    assert "6.450000, 3.400000" in people
    assert password not in people


def test_closes_and_deletes_with_the_permission_only(world, sola):
    customer = world.chidi.customer
    url = f"/console/customers/{customer.pk}"
    assert sola.post(f"{url}/close").status_code in {403, 404}
    mina = world.console(world.mina)

    mina.post(f"{url}/close", {"confirmed": "1"})
    customer.refresh_from_db()
    assert customer.state == "closed"
    mina.post(f"{url}/delete", {"confirmed": "1"})
    assert Customer.objects.filter(pk=customer.pk).exists() is False


def test_makes_a_lead_a_prospect(world, sola):
    sola.post(
        "/console/customers/new",
        {**FACTS, "state": "lead", "unit_id": world.operator.pk},
    )
    lead = Customer.objects.get()

    sola.post(f"/console/customers/{lead.pk}/qualify")

    lead.refresh_from_db()
    assert lead.state == "prospect"


def test_shows_staff_and_roles_to_look_at(world):
    assert world.bisi
    femi = world.console(world.femi)

    staff = femi.get("/console/staff").content.decode()
    assert "Billing clerk (Demo ISP)" in staff
    roles = femi.get("/console/roles").content.decode()
    assert "billing-clerk" in roles
    from apps.identity.models import Role

    role = Role.objects.get(slug="billing-clerk")
    assert (
        "billing.view_invoice" in femi.get(f"/console/roles/{role.pk}").content.decode()
    )
    assert world.console(world.sola).get("/console/staff").status_code == 403


def test_says_who_may_sign_in(world):
    from apps.identity import operations as identity
    from tests.world import NOON, SYSTEM

    identity.deactivate_user(user_id=world.bisi.id, actor=SYSTEM, now=NOON)
    identity.create_staff(
        username="tayo", email="", name="", role_slug="support", actor=SYSTEM, now=NOON
    )

    staff = world.console(world.femi).get("/console/staff").content.decode()

    assert "Switched off" in staff
    assert "Invited" in staff


def test_sets_a_new_portal_password(world, sola):
    chidi = world.chidi
    url = f"/console/customers/{chidi.customer.pk}/set-portal-password"
    assert "chidi" in sola.get(url).content.decode()

    sola.post(url, {"user_id": chidi.id, "password": "the canoe is blue today"})

    chidi.password = "the canoe is blue today"
    assert world.portal(chidi).get("/portal/").status_code == 200
