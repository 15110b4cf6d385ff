"""The life of a customer, by operations."""

from datetime import timedelta

import pytest

from apps.catalog.models import Order
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import CustomerState
from apps.identity.errors import (
    CustomerClosed,
    CustomerHasHistory,
    CustomerStillServed,
    MalformedEmail,
    MalformedPhone,
    PossibleDuplicate,
    UnknownField,
    UnknownUnit,
    Unreachable,
)
from apps.identity.models import Customer, Membership, User
from apps.ops.models import AuditEntry, OutboxEvent
from dotmac.core import participants
from dotmac.core.errors import InvalidInput, NotFound, PreconditionFailed
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def register(world):
    def register(**facts):
        values = {
            "kind": "individual",
            "name": "Chidi Eze",
            "email": "chidi@mail.example",
            "phone": "0803 100 0001",
            **facts,
        }
        return identity.register_customer(**values, actor=SYSTEM, now=NOON)

    return register


@pytest.fixture
def objecting():
    """An app above that speaks against everything, for the test's time."""
    kept = participants.participants_of("identity.customer")
    participants.register(
        "identity.customer",
        participants.Participant(
            app="above",
            can_delete=lambda pk: ["There is an invoice."],
            can_close=lambda pk: ["A service is running."],
        ),
    )
    yield
    participants._PARTICIPANTS["identity.customer"] = {p.app: p for p in kept}


@pytest.fixture
def silent():
    """No app above says a word, for the test's time."""
    kept = participants._PARTICIPANTS.pop("identity.customer", {})
    yield
    participants._PARTICIPANTS["identity.customer"] = kept


def events():
    return list(OutboxEvent.objects.order_by("pk").values_list("name", flat=True))


def test_registers_a_prospect_with_reference_and_clean_values(register, world):
    customer = register(name="  Chidi   Eze ", address="12 Broad  Street", country="NG")

    customer.refresh_from_db()
    assert customer.reference == f"C-{customer.pk:06d}"
    assert (customer.name, customer.address) == ("Chidi Eze", "12 Broad Street")
    assert customer.phone == "+2348031000001"
    assert customer.state == CustomerState.PROSPECT
    assert (customer.currency, customer.unit) == ("NGN", world.operator)
    assert customer.duplicate_confirmed is False
    event = OutboxEvent.objects.get()
    assert event.name == "identity.customer.registered.v1"
    assert (event.customer_id, event.unit_id) == (customer.pk, world.operator.pk)
    entry = AuditEntry.objects.filter(action=event.name).get()
    assert (entry.subject_label, entry.actor_label) == (customer.reference, "tests")


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"phone": "12"}, MalformedPhone, "phone"),
        ({"phone": "call me"}, MalformedPhone, "phone"),
        ({"phone": "+234 803 100 0001 ext. 5"}, MalformedPhone, "phone"),
        ({"phone": "0" * 50}, MalformedPhone, "phone"),
        ({"email": "chidi at mail"}, MalformedEmail, "email"),
        ({"email": "a..b@mail.example"}, MalformedEmail, "email"),
        ({"email": "a" * 250 + "@mail.example"}, MalformedEmail, "email"),
        ({"email": "", "phone": ""}, Unreachable, "email"),
        ({"name": "   "}, InvalidInput, "name"),
        ({"name": "x" * 201}, InvalidInput, "name"),
        ({"kind": "robot"}, InvalidInput, "kind"),
        ({"state": "active"}, InvalidInput, "state"),
        ({"unit_id": 2**40}, UnknownUnit, "unit"),
        ({"state_of_mind": "calm"}, UnknownField, "state_of_mind"),
    ],
)
def test_refuses_malformed_values_and_changes_nothing(register, facts, refusal, field):
    with pytest.raises(refusal) as refused:
        register(**facts)

    assert refused.value.field == field
    assert Customer.objects.exists() is False
    assert OutboxEvent.objects.exists() is False


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"email": "CHIDI@Mail.example", "phone": "+2348031000009"}, "email"),
        ({"email": "other@mail.example"}, "phone"),
    ],
)
def test_names_the_customer_that_this_may_be(register, facts, field):
    first = register()

    with pytest.raises(PossibleDuplicate) as refused:
        register(**facts)

    assert refused.value.field == field
    assert refused.value.facts == {"existing": first.reference}
    assert Customer.objects.count() == 1


def test_takes_a_confirmed_duplicate_and_remembers_that(register):
    register()

    second = register(confirm_duplicate=True)

    assert second.duplicate_confirmed is True


def test_confirming_without_need_leaves_the_guard_in_place(register):
    first = register(confirm_duplicate=True)

    assert first.duplicate_confirmed is False


def test_a_closed_customer_is_no_duplicate(register):
    first = register()
    identity.close_customer(customer_id=first.pk, actor=SYSTEM, now=NOON)

    assert register().pk != first.pk


def test_changes_values_and_tells_which(register):
    customer = register()

    changed = identity.change_customer(
        customer_id=customer.pk,
        changes={"name": "Chidi E. Eze", "phone": "0803 100 0008", "city": "Lagos"},
        actor=SYSTEM,
        now=LATER,
    )

    changed.refresh_from_db()
    assert (changed.name, changed.phone, changed.city) == (
        "Chidi E. Eze",
        "+2348031000008",
        "Lagos",
    )
    assert changed.updated_at == LATER
    entry = AuditEntry.objects.get(action="identity.customer.changed.v1")
    # The values stand where they can be forgotten: tests/identity/test_lifecycle.py.
    assert entry.changes == {"fields": ["city", "name", "phone"]}


def test_equal_values_change_nothing(register):
    customer = register()

    identity.change_customer(
        customer_id=customer.pk,
        changes={"name": "Chidi Eze", "phone": "08031000001"},
        actor=SYSTEM,
        now=LATER,
    )

    customer.refresh_from_db()
    assert customer.updated_at == NOON
    assert events() == ["identity.customer.registered.v1"]


def test_changes_only_the_version_that_was_read(register):
    customer = register()
    customer.refresh_from_db()
    seen = customer.etag
    change = {
        "customer_id": customer.pk,
        "changes": {"city": "Lagos"},
        "actor": SYSTEM,
        "now": LATER,
    }

    identity.change_customer(**change, if_match=seen)
    with pytest.raises(PreconditionFailed):
        identity.change_customer(
            **{**change, "changes": {"city": "Abuja"}}, if_match=seen
        )
    identity.change_customer(**{**change, "changes": {"city": "Kano"}}, if_match="*")

    customer.refresh_from_db()
    assert customer.city == "Kano"


def test_refuses_to_change_into_another_customer(register):
    register()
    second = register(email="dayo@mail.example", phone="0803 100 0002")
    change = {
        "customer_id": second.pk,
        "changes": {"email": "Chidi@mail.example"},
        "actor": SYSTEM,
        "now": LATER,
    }

    with pytest.raises(PossibleDuplicate):
        identity.change_customer(**change)
    confirmed = identity.change_customer(**change, confirm_duplicate=True)

    assert confirmed.duplicate_confirmed is True
    renamed = identity.change_customer(**{**change, "changes": {"name": "Other"}})
    assert renamed.duplicate_confirmed is True


def test_refuses_to_make_a_customer_unreachable(register):
    customer = register(phone="")

    with pytest.raises(Unreachable):
        identity.change_customer(
            customer_id=customer.pk, changes={"email": ""}, actor=SYSTEM, now=LATER
        )


def test_leads_become_prospects_become_customers(register):
    lead = register(state="lead")
    steps = {"customer_id": lead.pk, "actor": SYSTEM, "now": LATER}

    assert identity.qualify_customer(**steps).state == CustomerState.PROSPECT
    assert identity.qualify_customer(**steps).state == CustomerState.PROSPECT
    active = identity.activate_customer(**steps)
    assert (active.state, active.activated_at) == (CustomerState.ACTIVE, LATER)
    assert identity.activate_customer(**steps).activated_at == LATER
    assert identity.qualify_customer(**steps).state == CustomerState.ACTIVE

    assert events() == [
        "identity.customer.registered.v1",
        "identity.customer.changed.v1",
        "identity.customer.activated.v1",
    ]


def test_closes_once_and_stays_closed(register):
    customer = register()
    step = {"customer_id": customer.pk, "actor": SYSTEM, "now": LATER}

    closed = identity.close_customer(**step)
    assert (closed.state, closed.closed_at) == (CustomerState.CLOSED, LATER)
    identity.close_customer(**{**step, "now": LATER + timedelta(days=1)})

    closed.refresh_from_db()
    assert closed.closed_at == LATER
    with pytest.raises(CustomerClosed):
        identity.activate_customer(**step)
    with pytest.raises(CustomerClosed):
        identity.change_customer(**step, changes={"city": "Lagos"})


def test_asks_the_apps_above_before_closing_or_deleting(register, objecting):
    customer = register()
    step = {"customer_id": customer.pk, "actor": SYSTEM, "now": LATER}

    with pytest.raises(CustomerStillServed) as served:
        identity.close_customer(**step)
    with pytest.raises(CustomerHasHistory) as history:
        identity.delete_customer(**step)

    assert served.value.facts == {"objections": ["A service is running."]}
    assert history.value.facts == {"objections": ["There is an invoice."]}
    customer.refresh_from_db()
    assert customer.state == CustomerState.PROSPECT


def test_deletes_a_customer_with_its_portal_users(world):
    chidi, dayo = world.chidi, world.dayo
    Membership.objects.create(user=dayo.user, customer=chidi.customer)
    pk = chidi.customer.pk

    identity.delete_customer(customer_id=pk, actor=SYSTEM, now=NOON)

    assert Customer.objects.filter(pk=pk).exists() is False
    assert User.objects.filter(username="chidi").exists() is False
    assert User.objects.filter(username="dayo").exists() is True
    event = OutboxEvent.objects.get(name="identity.customer.deleted.v1")
    assert (event.customer_id, event.unit_id) == (pk, world.operator.pk)


@pytest.mark.parametrize(
    "operation",
    ["change_customer", "close_customer", "delete_customer", "activate_customer"],
)
def test_refuses_a_customer_that_does_not_exist(world, operation):
    extra: dict[str, object] = {"changes": {}} if operation == "change_customer" else {}

    with pytest.raises(NotFound):
        getattr(identity, operation)(customer_id=2**40, actor=SYSTEM, now=NOON, **extra)


def test_what_a_foreign_key_protects_is_history(world, silent):
    """The last word when an app above forgot to object."""
    customer = world.chidi.customer
    Order.objects.create(reference="O-1", customer=customer, placed_at=NOON)

    with pytest.raises(CustomerHasHistory):
        identity.delete_customer(customer_id=customer.pk, actor=SYSTEM, now=NOON)

    assert Customer.objects.filter(pk=customer.pk).exists() is True


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chidi", ["chidi"]),
        ("EZE chi", ["chidi"]),
        ("0803 100 0001", ["chidi"]),
        ("+234 803-100-0002", ["dayo"]),
        ("mail.example", ["chidi", "dayo"]),
        ("nobody", []),
        ("00000", ["chidi", "dayo"]),
        ("99999", []),
    ],
)
def test_finds_by_words_and_numbers(world, text, found):
    people = {world.chidi.customer.pk: "chidi", world.dayo.customer.pk: "dayo"}

    rows = Customer.objects.filter(selectors.found_by(text)).order_by("pk")

    assert [people[row.pk] for row in rows] == found


def test_answers_what_others_ask(world):
    customer = world.chidi.customer

    snapshot = selectors.customer_snapshot(customer.pk)
    assert snapshot.address_lines == ("12 Broad Street", "Lagos", "NG")
    assert (snapshot.name, snapshot.reference) == ("Chidi Eze", customer.reference)
    assert selectors.snapshots_of([customer.pk]) == {customer.pk: snapshot}
    assert selectors.find_customer(reference=customer.reference.lower()) == customer
    assert selectors.find_customer(id=customer.pk) == customer
    assert selectors.find_customer(id=2**40) is None
    assert selectors.unit_id_of(2**40) is None
    assert [m.user for m in selectors.memberships_of(customer.pk)] == [world.chidi.user]
