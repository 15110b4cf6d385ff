"""Head offices and branches: a tree, whatever goes around the operation."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.identity import operations as identity
from apps.identity.errors import CustomerClosed, CustomerHasHistory, ParentIsBelow
from apps.identity.models import Customer, CustomerChange
from apps.identity.operations import family
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}


def below(child, parent):
    return identity.set_parent(
        customer_id=child.pk, parent_id=parent.pk if parent else None, **BY
    )


def test_a_branch_hangs_below_its_head_office_once(world):
    chidi, dayo = world.chidi.customer, world.dayo.customer
    for _ in range(2):
        assert below(dayo, chidi).parent_id == chidi.pk
    kept = CustomerChange.objects.get(customer=dayo)
    assert (kept.field, kept.before, kept.after) == ("parent", "", chidi.reference)
    with pytest.raises(CustomerHasHistory):
        identity.delete_customer(customer_id=chidi.pk, **BY)
    assert below(dayo, None).parent_id is None


def test_there_is_no_circle(world):
    chidi, dayo, esi = (p.customer for p in (world.chidi, world.dayo, world.esi))
    below(dayo, chidi)
    below(esi, dayo)
    for child, parent in ((chidi, esi), (chidi, dayo), (chidi, chidi)):
        with pytest.raises(ParentIsBelow), transaction.atomic():
            below(child, parent)
        with pytest.raises(IntegrityError), transaction.atomic():
            Customer.objects.filter(pk=child.pk).update(parent=parent)


def test_a_family_is_at_most_eight_deep(world):
    last = world.chidi.customer
    for number in range(8):
        row = identity.register_customer(
            kind="business", name=f"B{number}", email=f"b{number}@m.example", **BY
        )
        below(row, last)
        last = row
    with pytest.raises(ParentIsBelow):
        below(world.dayo.customer, last)


def test_a_head_office_has_a_bounded_number_of_branches(world, monkeypatch):
    monkeypatch.setattr(family, "CHILDREN_MAX", 1)
    chidi, dayo, esi = (p.customer for p in (world.chidi, world.dayo, world.esi))
    below(dayo, chidi)
    with pytest.raises(InvalidInput, match="At most 1 below one") as refused:
        below(esi, chidi)
    assert refused.value.field == "parent"
    assert Customer.objects.get(parent=chidi) == dayo
    # The one that hangs there already may say so again, and makes room by leaving.
    assert below(dayo, chidi).parent_id == chidi.pk
    below(dayo, None)
    assert below(esi, chidi).parent_id == chidi.pk


def test_closed_and_unknown_customers_are_no_parents(world):
    chidi, dayo = world.chidi.customer, world.dayo.customer
    identity.close_customer(customer_id=chidi.pk, **BY)
    with pytest.raises(CustomerClosed):
        below(dayo, chidi)
    with pytest.raises(InvalidInput):
        identity.set_parent(customer_id=dayo.pk, parent_id=2**40, **BY)
    with pytest.raises(NotFound):
        identity.set_parent(customer_id=2**40, parent_id=None, **BY)


def test_the_family_through_the_api(world):
    sola, chidi, dayo = world.api(world.sola), world.chidi.customer, world.dayo.customer
    url = f"/api/v1/customers/{dayo.pk}/parent"

    assert sola.put(url, {"parent": chidi.pk}).json()["parent"] == chidi.pk
    found = sola.get(f"/api/v1/customers?parent={chidi.pk}").json()["results"]
    assert [row["id"] for row in found] == [dayo.pk]
    assert sola.put(url, {"parent": dayo.pk}).json()["code"] == "parent_is_below"
    # A parent out of reach does not exist.
    remi, esi = world.api(world.remi), world.esi.customer
    answer = remi.put(f"/api/v1/customers/{esi.pk}/parent", {"parent": chidi.pk})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "parent")
    assert sola.put(url, {"parent": None}).json()["parent"] is None


def test_the_family_on_the_customer_page(world):
    from tests.billing.owing import bill

    chidi, dayo = world.chidi.customer, world.dayo.customer
    ada = world.console(world.ada)
    url = f"/console/customers/{dayo.pk}"
    wrong = ada.post(f"{url}/set-parent", {"parent": "C-999999"})
    assert wrong.status_code == 422
    ada.post(f"{url}/set-parent", {"parent": chidi.reference.lower()})
    bill(chidi, 10_000)
    bill(dayo, 5_000)

    assert f'href="/console/customers/{chidi.pk}"' in ada.get(url).content.decode()
    head = ada.get(f"/console/customers/{chidi.pk}").content.decode()
    assert "With all below" in head
    assert "150.00 NGN owed" in head
    people = ada.get(f"/console/customers/{chidi.pk}?tab=people").content.decode()
    assert "Dayo Ojo" in people
