"""Duplicates are suggested, merged and taken apart through the API and the console."""

import pytest

from apps.billing import operations as billing
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import Customer, CustomerMerge
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.identity.twins import BY, merge, survivor_of, twin_of
from tests.sessions import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def chidi(world):
    return survivor_of(world)


@pytest.fixture
def twin(world, chidi):
    return twin_of(world)


def test_suggests_by_address_number_and_name(world):
    chidi = world.chidi.customer
    again = identity.register_customer(
        kind="individual", name=chidi.name.upper(), email="other@mail.example", **BY
    )
    sure = identity.register_customer(
        kind="individual",
        name="Brother",
        email=chidi.email,
        confirm_duplicate=True,
        **BY,
    )
    actor = world.mina.actor
    found = selectors.suggestions_for(chidi, actor, "identity.merge_customer")
    assert [(each.customer, each.same) for each in found] == [(again, ["name"])]
    twins = selectors.customers_with_twins(actor, "identity.merge_customer")
    assert set(twins) == {chidi, again}
    # Who was confirmed to be another one is not asked about, nor suggested.
    assert selectors.suggestions_for(sure, actor, "identity.merge_customer") == []
    chidi.phone = again.phone = "+2348035550000"
    Customer.objects.filter(pk=again.pk).update(name="X", phone=again.phone)
    [alike] = selectors.suggestions_for(chidi, actor, "identity.merge_customer")
    assert alike.same == ["phone"]
    assert not selectors.customers_with_twins(actor, "identity.merge_customer")


def test_nobody_hears_that_a_twin_is_out_of_reach(world):
    """The reseller does not learn who else is the operator's customer."""
    esi = world.esi.customer
    identity.register_customer(
        kind="individual", name=esi.name, email="else@mail.example", **BY
    )
    seen = selectors.customers_with_twins(world.remi.actor, "identity.view_customer")
    assert not seen
    all_of_it = selectors.customers_with_twins(
        world.mina.actor, "identity.view_customer"
    )
    assert esi in all_of_it


def test_the_api_suggests_merges_and_undoes(world, chidi, twin):
    client = world.api(world.mina)
    at = f"/api/v1/customers/{chidi.pk}"
    Customer.objects.filter(pk=twin.pk).update(name=chidi.name.lower())
    [hint] = client.get(f"{at}/duplicates").json()
    assert hint == {
        "customer": twin.pk,
        "reference": twin.reference,
        "name": chidi.name.lower(),
        "same": ["name"],
    }
    for body, status, code in (
        ({"duplicate": chidi.pk}, 400, "invalid"),
        ({"duplicate": 999999}, 400, "invalid"),
        ({"duplicate": "x"}, 400, "invalid"),
        ({}, 400, "invalid"),
    ):
        answer = client.post(f"{at}/merges", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    made = client.post(f"{at}/merges", {"duplicate": twin.pk, "reason": "same name"})
    assert made.status_code == 201, made.content
    assert made.json()["duplicate_reference"] == twin.reference
    assert client.get(f"/api/v1/customers/{twin.pk}").json()["merged_into"] == chidi.pk
    one = f"{at}/merges/{made.json()['id']}"
    assert client.get(f"{at}/merges").json()["results"] == [client.get(one).json()]
    undone = client.post(f"{one}/undo")
    assert (undone.status_code, undone.json()["undone_by"]) == (200, "mina")
    # Not through another customer, and not by whoever may not.
    other = f"/api/v1/customers/{twin.pk}/merges/{made.json()['id']}"
    assert client.get(other).status_code == 404
    sola = world.api(world.sola)
    assert sola.post(f"{at}/merges", {"duplicate": twin.pk}).status_code == 403


def test_a_branch_merges_its_own_customers_only(world, chidi):
    esi = world.esi.customer
    branch = world.hire("bola", "Bola", "manager", unit_id=world.reseller.pk)
    client = world.api(branch)
    answer = client.post(f"/api/v1/customers/{esi.pk}/merges", {"duplicate": chidi.pk})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (
        400,
        "duplicate",
    )
    done = merge(chidi, esi)
    at = f"/api/v1/customers/{esi.pk}/merges"
    assert client.get(at).json()["results"] == []
    assert client.post(f"{at}/{done.pk}/undo").status_code == 404


def test_the_console_suggests_merges_and_undoes(world, chidi, twin):
    browser = enter(world.mina)
    Customer.objects.filter(pk=twin.pk).update(name=chidi.name)
    hub = f"/console/customers/{chidi.pk}"
    assert twin.reference in browser.get("/console/duplicates").content.decode()
    page = browser.get(f"{hub}?tab=people").content.decode()
    assert "May be the same customer" in page
    assert twin.reference in browser.get(f"{hub}/merge").content.decode()
    for wrong in ("C-999999", chidi.reference):
        refused = browser.post(f"{hub}/merge", {"duplicate": wrong})
        assert refused.status_code == 422
    bill(twin, 100_000)
    refused = browser.post(f"{hub}/merge", {"duplicate": twin.reference})
    assert "is owed" in refused.content.decode()
    billing.record_payment(
        customer_id=twin.pk, amount=Money(100_000, "NGN"), method="cash", **BY
    )
    done = browser.post(f"{hub}/merge", {"duplicate": twin.reference.lower()})
    assert done["Location"] == f"{hub}?tab=people"
    made = CustomerMerge.objects.get()
    theirs = browser.get(f"/console/customers/{twin.pk}").content.decode()
    assert "Merged into" in theirs
    assert "was merged into" in browser.get(f"{hub}?tab=history").content.decode()
    assert "Merge" in browser.get(f"/console/merges/{made.pk}").content.decode()
    assert browser.post(f"/console/merges/{made.pk}/undo").status_code == 302
    made.refresh_from_db()
    assert made.undone_by == "mina"
    assert "A merge was undone" in browser.get(f"{hub}?tab=history").content.decode()
    assert "Undone" in browser.get(f"{hub}?tab=people").content.decode()
