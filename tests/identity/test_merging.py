"""Two numbers for one customer become one, and two again as they were."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.billing import operations as billing
from apps.billing.models import Invoice, LedgerEntry, Payment
from apps.catalog import operations as catalog
from apps.catalog.models import Order, Service
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    CannotBeMerged,
    CannotBeUnmerged,
    CustomerClosed,
    CustomerErased,
    CustomerHasHistory,
    CustomerMerged,
    PossibleDuplicate,
)
from apps.identity.models import (
    Contact,
    Customer,
    CustomerMerge,
    CustomerTurn,
    Membership,
)
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.invariants import all_invariants
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.console.lines import put_on_line
from tests.identity.twins import BY, merge, survivor_of, twin_of
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
OWNED = ("identity_contact", "identity_servicelocation", "identity_customernote",
         "identity_customerdocument", "identity_customertag", "identity_membership",
         "catalog_service", "catalog_order", "billing_invoice", "billing_payment",
         "billing_ledgerentry")  # fmt: skip


@pytest.fixture
def chidi(world):
    return survivor_of(world)


@pytest.fixture
def twin(world, chidi):
    return twin_of(world)


def owners():
    """Who owns which row, table by table, and what the customers are."""
    found = {}
    with connection.cursor() as cursor:
        for table in OWNED:
            ask = f"SELECT id, customer_id FROM {table} ORDER BY id"  # noqa: S608
            cursor.execute(ask)
            found[table] = cursor.fetchall()
    rows = Customer.objects.order_by("pk")
    states = list(
        rows.values_list(
            "pk", "state", "closed_at", "activated_at", "merged_into", "parent"
        )
    )
    primary = list(Contact.objects.order_by("pk").values_list("pk", "is_primary"))
    return {**found, "customers": states, "primary": primary}


def all_is_true():
    with connection.cursor() as cursor:
        for invariant in all_invariants():
            cursor.execute(invariant.sql)
            assert cursor.fetchall() == [], invariant.name


def test_the_survivor_takes_over_and_the_money_stays(chidi, twin):
    before = owners()

    done = merge(twin, chidi, reason="same  phone")

    after = owners()
    for table in OWNED:
        whose = dict(after[table])
        if table.startswith("billing"):
            assert after[table] == before[table]
            continue
        for pk, owner in before[table]:
            stays = table in {"identity_customertag", "identity_membership"}
            assert whose[pk] == (owner if stays else chidi.pk), table
    twin.refresh_from_db()
    chidi.refresh_from_db()
    assert (twin.state, twin.merged_into, chidi.state) == ("closed", chidi, "active")
    [names] = selectors.tags_of([chidi.pk]).values()
    assert {tag.slug for tag in names} == {"vip", "school"}
    [primary] = Contact.objects.filter(is_primary=True)
    assert (primary.name, primary.customer) == ("Ify", chidi)
    people = Membership.objects.filter(customer=chidi)
    assert people.count() == 2
    assert (done.reason, done.duplicate_state) == ("same phone", "active")
    told = AuditEntry.objects.filter(action="identity.customer.merged.v1")
    assert set(told.values_list("customer_id", flat=True)) == {chidi.pk, twin.pk}
    all_is_true()


def test_undoing_restores_exactly(world, chidi, twin):
    branch = identity.register_customer(
        kind="business", name="Branch", email="branch@mail.example", **BY
    )
    identity.set_parent(customer_id=branch.pk, parent_id=twin.pk, **BY)
    before = owners()
    done = merge(twin, chidi)
    branch.refresh_from_db()
    assert branch.parent == chidi

    identity.undo_merge(merge_id=done.pk, **BY)

    assert owners() == before
    all_is_true()
    turns = CustomerTurn.objects.filter(customer=twin).order_by("-pk")
    assert turns[0].to_state == "active"
    assert turns[0].reason == "The merge was undone"
    assert identity.undo_merge(merge_id=done.pk, **BY).undone_at == NOON
    assert AuditEntry.objects.filter(action__contains="unmerged").count() == 2
    # And again: a new merge, with a row of its own.
    again = merge(twin, chidi)
    assert again.pk != done.pk
    assert merge(twin, chidi) == again


def test_what_came_since_stays_where_it_is(world, chidi, twin):
    done = merge(twin, chidi)
    at: dict[str, Any] = {"customer_id": chidi.pk, **BY}
    later = identity.write_note(**at, text="After the merge.")
    moved = done.moved["identity"]["contacts"][0]
    identity.remove_contact(contact_id=moved, **BY)
    [service] = Service.objects.filter(customer=chidi)
    catalog.terminate_service(service_id=service.pk, actor=SYSTEM, now=timezone.now())

    identity.undo_merge(merge_id=done.pk, **BY)

    later.refresh_from_db()
    assert later.customer == chidi
    assert not Contact.objects.filter(pk=moved).exists()
    twin.refresh_from_db()
    chidi.refresh_from_db()
    # Its service ended while it was merged: it rests now.
    assert (twin.state, chidi.state) == ("dormant", "prospect")
    all_is_true()


def test_a_service_of_the_survivor_keeps_it_active(world, chidi, twin):
    put_on_line(world, world.chidi, now=timezone.now())
    done = merge(twin, chidi)
    identity.undo_merge(merge_id=done.pk, **BY)
    chidi.refresh_from_db()
    twin.refresh_from_db()
    assert (chidi.state, twin.state) == ("active", "active")
    all_is_true()


def test_an_order_that_waits_goes_over_and_comes_back(world, chidi):
    from tests.catalog.shops import build_shop, ordered

    esi = world.esi.customer
    service = ordered(build_shop(), world.esi)
    done = merge(esi, chidi)
    service.refresh_from_db()
    assert (service.customer, service.state) == (chidi, "pending")
    identity.undo_merge(merge_id=done.pk, **BY)
    service.refresh_from_db()
    assert service.customer == esi
    assert Order.objects.get().customer == esi
    all_is_true()


def test_a_closed_duplicate_is_closed_again(chidi, world):
    esi = world.esi.customer
    identity.close_customer(customer_id=esi.pk, **BY)
    done = merge(esi, chidi)
    identity.undo_merge(merge_id=done.pk, **BY)
    esi.refresh_from_db()
    assert (esi.state, esi.merged_into) == ("closed", None)


def test_open_money_of_the_duplicate_speaks_against_it(world, chidi, twin):
    before = owners()
    bill(twin, 100_000)
    with pytest.raises(CannotBeMerged, match=r"1,000\.00 NGN is owed.*other way") as no:
        merge(twin, chidi)
    assert len(no.value.facts["objections"]) == 2
    billing.record_payment(
        customer_id=twin.pk, amount=Money(150_000, "NGN"), method="cash", **BY
    )
    with pytest.raises(CannotBeMerged, match="of credit"):
        merge(twin, chidi)
    assert owners()["catalog_service"] == before["catalog_service"]
    assert not CustomerMerge.objects.exists()
    # The other way round nothing is in the way.
    assert merge(chidi, twin).survivor == twin


def test_a_bill_run_and_another_currency_speak_against_it(world, chidi):
    other = identity.register_customer(
        kind="business", name="Accra", email="a@mail.example", currency="GHS", **BY
    )
    with pytest.raises(CannotBeMerged, match="different currencies"):
        merge(other, chidi)
    same = identity.register_customer(
        kind="business", name="Ibadan", email="i@mail.example", **BY
    )
    run = billing.start_run(day=NOON.date(), **BY)
    assert run.finished_at is None
    with pytest.raises(CannotBeMerged, match="bill run"):
        merge(same, chidi)


def test_the_survivors_debts_hold_the_services_that_came(world, chidi, twin):
    """Cut off means all its services, and apart again each answers for its own."""
    from datetime import timedelta

    from apps.network.models import AccessHold

    today = timezone.now()
    bill(chidi, 500_000, due=(today - timedelta(days=60)).date())
    billing.review_customer(customer_id=chidi.pk, now=today)
    done = merge(twin, chidi, now=today)
    held = AccessHold.objects.filter(reason="non_payment", lifted_at=None)
    was_held = held.count()
    identity.undo_merge(merge_id=done.pk, actor=SYSTEM, now=today)
    assert was_held == 1
    assert held.count() == 0


def test_refuses_what_makes_no_sense(world, chidi, twin):
    esi = world.esi.customer
    with pytest.raises(InvalidInput) as same:
        merge(chidi, chidi)
    assert same.value.field == "duplicate"
    with pytest.raises(NotFound):
        identity.merge_customers(duplicate_id=chidi.pk, survivor_id=0, **BY)
    with pytest.raises(InvalidInput):
        identity.merge_customers(duplicate_id=0, survivor_id=chidi.pk, **BY)
    with pytest.raises(InvalidInput, match="At most 300"):
        merge(twin, chidi, reason="x" * 301)
    with pytest.raises(NotFound):
        identity.undo_merge(merge_id=0, **BY)
    identity.set_parent(customer_id=esi.pk, parent_id=chidi.pk, **BY)
    for pair in ((chidi, esi), (esi, chidi)):
        with pytest.raises(CannotBeMerged, match="belongs below"):
            merge(*pair)
    identity.set_parent(customer_id=esi.pk, parent_id=None, **BY)
    merge(twin, chidi)
    with pytest.raises(CustomerMerged):
        merge(twin, esi)
    with pytest.raises(CustomerClosed):
        merge(esi, twin)
    with pytest.raises(CustomerMerged):
        identity.reopen_customer(customer_id=twin.pk, **BY)
    with pytest.raises(CustomerMerged):
        identity.erase_customer(customer_id=twin.pk, confirm=twin.reference, **BY)
    with pytest.raises(CustomerHasHistory):
        identity.delete_customer(customer_id=chidi.pk, **BY)


def test_a_merge_that_went_on_is_undone_from_its_end(world, chidi, twin):
    esi = world.esi.customer
    first, second = merge(esi, twin), merge(twin, chidi)
    assert [c.pk for c in selectors.same_person(chidi.pk)] == sorted(
        (chidi.pk, twin.pk, esi.pk)
    )
    with pytest.raises(CannotBeUnmerged, match="merged on since"):
        identity.undo_merge(merge_id=first.pk, **BY)
    identity.undo_merge(merge_id=second.pk, **BY)
    identity.undo_merge(merge_id=first.pk, **BY)
    assert selectors.same_person(chidi.pk) == [chidi]


def test_an_address_that_is_taken_by_now_speaks_against_undoing(chidi, world):
    esi = world.esi.customer
    email = esi.email
    done = merge(esi, chidi)
    identity.register_customer(kind="individual", name="New", email=email, **BY)
    with pytest.raises(PossibleDuplicate):
        identity.undo_merge(merge_id=done.pk, **BY)


def test_who_is_erased_is_erased_as_a_whole_and_for_good(world, chidi, twin):
    [service] = Service.objects.filter(customer=twin)
    done = merge(twin, chidi)
    catalog.terminate_service(service_id=service.pk, actor=SYSTEM, now=timezone.now())
    identity.erase_customer(customer_id=chidi.pk, confirm=chidi.reference, **BY)
    assert set(Customer.objects.filter(pk__in=(chidi.pk, twin.pk)).values_list("name", flat=True)) == {"Erased"}  # fmt: skip
    with pytest.raises(CannotBeUnmerged, match="erased since"):
        identity.undo_merge(merge_id=done.pk, **BY)
    with pytest.raises(CustomerErased):
        merge(chidi, world.esi.customer)


def test_the_database_moves_nothing_outside_a_merge(chidi, twin):
    rows: Any
    for rows in (Service.objects.filter(customer=twin), Order.objects.filter(customer=twin)):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(customer=chidi)
    for wrong in ({"merged_into": chidi}, {"state": "lead"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Customer.objects.filter(pk=twin.pk).update(**wrong)
    entries = list(LedgerEntry.objects.order_by("pk").values())
    merge(twin, chidi)
    assert list(LedgerEntry.objects.order_by("pk").values()) == entries
    assert Invoice.objects.get().customer == twin
    assert Payment.objects.get().customer == twin
