"""What a portal user reads of the own account through the API, and what stays inside."""

from __future__ import annotations

from typing import Any

import pytest

from apps.identity import operations as identity
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.security]
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
URL = "/api/v1/customers"
INSIDE = "Whisperwort"


@pytest.fixture
def known(world):
    """Chidi with all that staff say among themselves, and a field of each sort."""
    for slug, in_portal in (("nin", True), ("risk", False)):
        identity.define_field(
            slug=slug, name=slug, kind="text", in_portal=in_portal, **BY
        )
    identity.make_tag(slug="vip", name="VIP", colour="red", **BY)
    customer, head = world.chidi.customer, world.dayo.customer
    at: dict[str, Any] = {"customer_id": customer.pk, **BY}
    identity.change_customer(**at, changes={
        "custom": {"nin": "123", "risk": INSIDE}, "source": INSIDE,
        "owner_id": world.sola.id,
    })  # fmt: skip
    identity.tag_customers(customer_ids=[customer.pk], add=["vip"], **BY)
    identity.set_parent(**at, parent_id=head.pk)
    place = identity.add_location(**at, label="Shop", address="1 Marina")
    identity.check_serviceability(
        location_id=place.pk, answer="no", note=INSIDE, actor=world.sola.actor, now=NOON
    )
    return customer


def test_a_customer_reads_what_is_meant_for_it(world, known):
    client = world.api(world.chidi)
    [listed] = client.get(URL).json()["results"]
    one = client.get(f"{URL}/{known.pk}")
    for told in (listed, one.json()):
        assert told["custom"] == {"nin": "123"}
        assert (told["source"], told["owner"], told["parent"]) == ("", None, None)
        assert told["name"] == known.name
    [place] = client.get(f"{URL}/{known.pk}/locations").json()
    assert (place["serviceability"], place["serviceability_note"]) == ("no", "")
    assert place["checked_by"] == ""
    at = f"{URL}/{known.pk}/locations/{place['id']}"
    assert client.get(at).json() == place
    [narrow] = client.get(f"{URL}?fields=custom,source").json()["results"]
    assert narrow == {"custom": {"nin": "123"}, "source": ""}
    narrow = client.get(f"{URL}/{known.pk}?fields=custom").json()
    assert narrow == {"custom": {"nin": "123"}}


@pytest.mark.parametrize("name", ["custom", "owner", "parent", "tag"])
def test_a_customer_finds_nothing_by_what_staff_say(world, known, name):
    values = {
        "custom": f"risk:{INSIDE}", "owner": world.sola.id,
        "parent": world.dayo.customer.pk, "tag": "vip",
    }  # fmt: skip
    asked = f"{URL}?{name}={values[name]}"
    refused = world.api(world.chidi).get(asked)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == name
    found = world.api(world.sola).get(asked).json()["results"]
    assert [row["id"] for row in found] == [known.pk]


def test_staff_read_all_of_it(world, known):
    client = world.api(world.sola)
    told = client.get(f"{URL}/{known.pk}").json()
    assert told["custom"] == {"nin": "123", "risk": INSIDE}
    assert (told["source"], told["owner"]) == (INSIDE, world.sola.id)
    assert told["parent"] == world.dayo.customer.pk
    [place] = client.get(f"{URL}/{known.pk}/locations").json()
    assert (place["serviceability_note"], place["checked_by"]) == (INSIDE, "sola")


def test_a_lead_becomes_a_prospect(world):
    lead = identity.register_customer(
        kind="individual", name="Lea", email="lea@mail.example", state="lead", **BY
    )
    at = f"{URL}/{lead.pk}/qualify"
    client = world.api(world.sola)
    for _ in range(2):
        assert client.post(at, {"reason": "Called"}).json()["state"] == "prospect"
    assert client.post(at, {"reason": "x" * 301}).status_code == 400
    assert world.api(world.femi).post(at).status_code == 403
    assert world.api(world.remi).post(at).status_code == 404


def test_nobody_takes_a_customer_from_a_parent_out_of_reach(world):
    """Of the reseller's customer whose head office is the operator's own."""
    head, esi = world.chidi.customer, world.esi.customer
    identity.set_parent(customer_id=esi.pk, parent_id=head.pk, **BY)
    remi = world.api(world.remi)
    answer = remi.put(f"{URL}/{esi.pk}/parent", {"parent": None})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "parent")
    esi.refresh_from_db()
    assert esi.parent_id == head.pk

    browser = world.console(world.remi)
    page = browser.get(f"/console/customers/{esi.pk}").content.decode()
    assert head.name not in page
    form = browser.get(f"/console/customers/{esi.pk}/set-parent").content.decode()
    assert head.reference not in form
    refused = browser.post(f"/console/customers/{esi.pk}/set-parent", {"parent": ""})
    assert refused.status_code in {403, 422}
    esi.refresh_from_db()
    assert esi.parent_id == head.pk
    assert (
        head.name
        in world.console(world.sola)
        .get(f"/console/customers/{esi.pk}")
        .content.decode()
    )
