"""Pages of somebody who reaches customers by unit and by grants: one list."""

import random

import pytest

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import Customer
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db

VIEW = "identity.view_customer"
URL = "/api/v1/customers"


@pytest.fixture
def remi(world):
    """Half of the customers are his reseller's; some of all were granted to him."""
    assert world.chidi
    assert world.esi
    dice = random.Random(20261127)
    for number in range(30):
        customer = identity.register_customer(
            kind="individual",
            name=f"Customer {number}",
            email=f"n{number}@mail.example",
            phone=f"+23480355512{number:02}",
            unit_id=dice.choice((world.operator.pk, world.reseller.pk)),
            actor=SYSTEM,
            now=NOON,
        )
        if dice.random() < 0.4:
            identity.grant_on_customer(
                user_id=world.remi.id,
                customer_id=customer.pk,
                permission=VIEW,
                actor=SYSTEM,
                now=NOON,
            )
    return world.remi


def wanted(remi):
    rows = selectors.customers_visible_to(remi.actor, VIEW)
    return list(rows.order_by("-id").values_list("pk", flat=True))


def walk(api, link, page_link):
    while link:
        page = api.get(link).json()
        yield [row["id"] for row in page["results"]]
        link = page[page_link] and page[page_link].removeprefix("http://testserver")


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_the_pages_of_several_sources_are_the_list(world, remi, size):
    api, rows = world.api(remi), wanted(remi)
    assert {len(one.scopes[VIEW].sources()) for one in remi.actor.by_source(VIEW)} == {
        1
    }
    assert len(remi.actor.by_source(VIEW)) == 2
    pages = list(walk(api, f"{URL}?page_size={size}", "next"))
    assert [key for page in pages for key in page] == rows
    assert {len(page) for page in pages[:-1]} <= {size}


@pytest.mark.parametrize("size", [1, 3, 7])
def test_the_way_back_shows_the_same_pages(world, remi, size):
    api, rows = world.api(remi), wanted(remi)
    link = f"{URL}?page_size={size}"
    last = None
    while link:
        last = link
        following = api.get(link).json()["next"]
        link = following and following.removeprefix("http://testserver")
    back = list(walk(api, last, "previous"))
    assert [key for page in reversed(back) for key in page] == rows


def test_the_count_is_of_all_sources_and_each_customer_once(world, remi):
    answer = world.api(remi).get(f"{URL}?count=true&page_size=1").json()
    assert answer["count"] == len(wanted(remi))
    assert 2 < answer["count"] < Customer.objects.count()


def test_filters_hold_in_every_source(world, remi):
    unit = world.reseller.pk
    found = world.api(remi).get(f"{URL}?unit={unit}&page_size=200").json()["results"]
    assert {row["unit"] for row in found} == {unit}
    assert len(found) == Customer.objects.filter(unit_id=unit).count()
