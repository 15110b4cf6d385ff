"""Merging, taking apart, erasing and copying that meet: one comes after the other."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apps.catalog import operations as catalog
from apps.catalog.models import Service
from apps.identity import operations as identity
from apps.identity.models import Customer, PersonalExport, StoredFile
from apps.ops.models import Job
from tests.catalog import steps
from tests.catalog.shops import broken_invariants, build_shop, make_active, ordered
from tests.races.test_identity import holding
from tests.races.test_network_races import at_once
from tests.world import NOON, SYSTEM, World

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]
ROUNDS = 20
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}


@pytest.fixture
def world(own_database):
    return World()


def two(number):
    """A customer and one that was registered later."""
    return [
        identity.register_customer(
            kind="business", name=f"R{number}{each}", **BY,
            email=f"r{number}{each}@mail.example",
        )
        for each in "ab"
    ]  # fmt: skip


def merge(duplicate, survivor):
    return lambda: identity.merge_customers(
        duplicate_id=duplicate.pk, survivor_id=survivor.pk, **BY
    ).pk


def erase(customer):
    return lambda: identity.erase_customer(
        customer_id=customer.pk, confirm=customer.reference, **BY
    ).pk


def names(*customers):
    found = Customer.objects.in_bulk([row.pk for row in customers])
    return [found[row.pk].name for row in customers]


def test_taking_apart_and_erasing_wait_for_each_other(world):
    """The survivor has the higher key: whoever locks it first and then the other one
    would meet whoever goes by keys."""
    for number in range(ROUNDS):
        older, newer = two(number)
        done = merge(older, newer)()
        undo = lambda pk=done: identity.undo_merge(merge_id=pk, **BY).pk  # noqa: E731
        erased, undone = at_once([erase(newer), undo])

        if undone == "cannot_be_unmerged":
            assert erased == newer.pk
            assert names(older, newer) == ["Erased", "Erased"]
        else:
            assert undone == done
            assert erased in {newer.pk, "merged_meanwhile"}
            assert names(older) == [older.name]
    assert broken_invariants() == []


def test_merging_and_erasing_wait_for_each_other(world):
    for number in range(ROUNDS):
        older, newer = two(number)
        merged, erased = at_once([merge(older, newer), erase(newer)])

        if merged == "customer_erased":
            assert names(older, newer) == [older.name, "Erased"]
        elif erased == "merged_meanwhile":
            assert names(older, newer) == [older.name, newer.name]
        else:
            assert names(older, newer) == ["Erased", "Erased"]
    assert broken_invariants() == []


def test_of_two_merges_into_each_other_one_stands(world):
    for number in range(ROUNDS):
        older, newer = two(number)
        answers = at_once([merge(older, newer), merge(newer, older)])

        assert len([one for one in answers if isinstance(one, int)]) == 1
        assert {"customer_closed", "customer_merged"} & set(map(str, answers))
    assert broken_invariants() == []


def test_ending_a_service_waits_for_the_customer_who_gets_it(world):
    """Whoever read whose it was before the merge settles the survivor's state."""
    shop, chidi, dayo = build_shop(), world.chidi.customer, world.dayo.customer
    shop.net.create_prefix(cidr="100.64.1.0/24", pool_id=shop.pool.pk)
    for _ in range(ROUNDS):
        service = make_active(shop, ordered(shop, world.dayo), now=world.now)
        end = lambda pk=service.pk: catalog.terminate_service(  # noqa: E731
            service_id=pk, actor=SYSTEM, now=timezone.now()
        ).pk
        done, ended = at_once([merge(dayo, chidi), end])

        assert (isinstance(done, int), ended) == (True, service.pk)
        assert Service.objects.get(pk=service.pk).customer == chidi
        assert broken_invariants() == []
        identity.undo_merge(merge_id=done, **BY)


def test_a_service_is_activated_for_the_customer_who_has_it_by_then(world):
    """The check read whose it was, and waited: the merge has handed it on."""
    shop, chidi, dayo = build_shop(), world.chidi.customer, world.dayo.customer
    service = ordered(shop, world.dayo)
    shop.do.provision_service(service_id=service.pk, now=NOON)
    held = steps.claim(steps.latest(service), NOON)
    for _ in range(2):
        steps.perform(held, NOON)

    with holding("identity_customer", dayo.pk, crowd=2):
        at_once([merge(dayo, chidi), lambda: steps.conclude(held, NOON)])

    service.refresh_from_db()
    chidi.refresh_from_db()
    assert (service.state, service.customer) == ("active", chidi)
    assert chidi.state == "active"
    assert broken_invariants() == []


def test_a_copy_that_is_made_and_an_erasure_wait_for_each_other(world):
    for number in range(ROUNDS):
        customer, _other = two(number)
        identity.request_export(customer_id=customer.pk, **BY)
        make = lambda: identity.make_next_export(now=NOON)  # noqa: E731
        at_once([make, erase(customer)])

        assert names(customer) == ["Erased"]
        assert not StoredFile.objects.exists()
        assert not PersonalExport.objects.filter(done_at=None).exists()
        assert not Job.objects.filter(state__in=("queued", "running")).exists()
