"""Two who were merged and are two again: what came since finds its place."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.catalog import operations as catalog
from apps.catalog.models import Service
from apps.identity import operations as identity
from apps.identity.errors import (
    CannotBeMerged,
    CannotBeUnmerged,
    ExportGone,
    ParentIsBelow,
)
from apps.identity.models import (
    Customer,
    CustomerTurn,
    Membership,
    PersonalExport,
    ServiceLocation,
    StoredFile,
    User,
)
from dotmac.core.invariants import all_invariants
from tests.catalog.shops import build_shop, make_active, ordered
from tests.identity.twins import BY, merge, survivor_of, twin_of
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def broken():
    found = {}
    with connection.cursor() as cursor:
        for invariant in all_invariants():
            cursor.execute(invariant.sql)
            if rows := cursor.fetchall():
                found[invariant.name] = rows
    return found


def business(number, parent=None):
    row = identity.register_customer(
        kind="business", name=f"B{number}", email=f"b{number}@m.example", **BY
    )
    return row if parent is None else below(row, parent)


def below(child, parent):
    return identity.set_parent(customer_id=child.pk, parent_id=parent.pk, **BY)


def test_a_service_that_came_since_keeps_its_place(world):
    chidi, twin = survivor_of(world), twin_of(world)
    place = ServiceLocation.objects.get(customer=twin)
    done = merge(twin, chidi)
    late = [ordered(world.shop, world.chidi, location_id=place.pk) for _ in range(2)]

    identity.undo_merge(merge_id=done.pk, **BY)

    place.refresh_from_db()
    assert place.customer == twin
    places: set[Any] = {Service.objects.get(pk=service.pk).location for service in late}
    [copy] = places
    assert (copy.customer, copy.label, copy.address) == (chidi, "Shop", "1 Marina")
    assert copy.pk != place.pk
    assert broken() == {}


def test_a_service_at_anothers_place_is_found(world):
    place = identity.add_location(
        customer_id=world.dayo.customer.pk, label="Shop", address="1 Marina", **BY
    )
    service = ordered(build_shop(), world.chidi)
    assert broken() == {}
    Service.objects.filter(pk=service.pk).update(location=place)
    name = "catalog.service_is_at_its_customers_place"
    assert broken() == {name: [(service.pk, service.reference, place.pk)]}


def test_nobody_opens_a_copy_that_tells_of_both(world):
    chidi, twin = survivor_of(world), twin_of(world)
    done = merge(twin, chidi)
    ready = identity.request_export(customer_id=chidi.pk, **BY)
    assert identity.make_next_export(now=NOON) == ready.pk
    waiting = identity.request_export(customer_id=chidi.pk, **BY)

    identity.undo_merge(merge_id=done.pk, **BY)

    with pytest.raises(ExportGone):
        identity.open_export(export_id=ready.pk, **BY)
    assert identity.make_next_export(now=NOON) is None
    waiting.job.refresh_from_db()
    assert waiting.job.state == "cancelled"
    assert not PersonalExport.objects.filter(file__isnull=False).exists()
    # The documents are files as well.
    assert StoredFile.objects.filter(media_type="application/zip").count() == 0


def test_nobody_was_active_who_only_had_ended_services(world):
    """A dormant survivor takes over a service that ended: it rests on."""
    shop = build_shop()
    for person in (world.chidi, world.dayo):
        service = make_active(shop, ordered(shop, person), now=world.now)
        catalog.terminate_service(
            service_id=service.pk, actor=SYSTEM, now=timezone.now()
        )
    chidi, dayo = (
        Customer.objects.get(pk=p.customer.pk) for p in (world.chidi, world.dayo)
    )
    assert (chidi.state, dayo.state) == ("dormant", "dormant")
    before = CustomerTurn.objects.filter(customer=chidi).count()

    done = merge(dayo, chidi)
    identity.undo_merge(merge_id=done.pk, **BY)

    chidi.refresh_from_db()
    assert chidi.state == "dormant"
    assert CustomerTurn.objects.filter(customer=chidi).count() == before
    assert broken() == {}


def test_a_prospect_that_takes_over_an_ended_service_was_served_once(world):
    shop = build_shop()
    service = make_active(shop, ordered(shop, world.dayo), now=world.now)
    catalog.terminate_service(service_id=service.pk, actor=SYSTEM, now=timezone.now())
    merge(world.dayo.customer, world.chidi.customer)
    world.chidi.customer.refresh_from_db()
    assert world.chidi.customer.state == "dormant"


def test_whoever_moves_brings_those_below_along(world):
    """Eight above at most, counted for the lowest of those who move too."""
    top = business(0)
    last = top
    for number in range(1, 7):
        last = business(number, last)
    head = business(20)
    business(22, business(21, head))
    with pytest.raises(ParentIsBelow), transaction.atomic():
        below(head, last)
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=head.pk).update(parent=last)
    assert below(head, last.parent).parent == last.parent


def test_a_merge_makes_no_family_too_deep(world):
    last = business(0)
    for number in range(1, 8):
        last = business(number, last)
    head = business(20)
    business(22, business(21, head))
    with pytest.raises(CannotBeMerged, match="too deep"), transaction.atomic():
        merge(head, last)
    head.refresh_from_db()
    assert head.merged_into is None


def test_an_undone_merge_makes_no_circle(world):
    one, other = business(1), business(2)
    branch = business(3, one)
    done = merge(one, other)
    # Meanwhile the branch has become the head of both.
    identity.set_parent(customer_id=branch.pk, parent_id=None, **BY)
    Customer.objects.filter(pk=one.pk).update(parent=branch)
    Customer.objects.filter(pk=branch.pk).update(parent=other)
    with pytest.raises(CannotBeUnmerged, match="too deep"), transaction.atomic():
        identity.undo_merge(merge_id=done.pk, **BY)
    one.refresh_from_db()
    assert one.merged_into == other


def test_who_acts_for_nobody_any_more_goes_with_the_undoing(world):
    chidi, dayo = world.chidi.customer, world.dayo.customer
    uncle = identity.invite_member(
        customer_id=dayo.pk, email="uncle@mail.example", rights="view", **BY
    ).user
    done = merge(dayo, chidi)
    at: dict[str, Any] = {"user_id": uncle.pk, **BY}
    identity.remove_member(customer_id=dayo.pk, **at)
    assert Membership.objects.get(user=uncle).customer == chidi

    identity.undo_merge(merge_id=done.pk, **BY)

    assert not User.objects.filter(pk=uncle.pk).exists()
    assert broken() == {}
