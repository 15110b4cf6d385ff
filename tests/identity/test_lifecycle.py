"""Lead, prospect, active, dormant, closed: the turns, their guards, their history."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.identity import operations as identity
from apps.identity.enums import CustomerState
from apps.identity.errors import CustomerClosed, PossibleDuplicate
from apps.identity.models import Customer, CustomerChange, CustomerTurn
from apps.identity.rules.lifecycle import MOVES, may_become
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
ALL = [(one, other) for one in CustomerState for other in CustomerState if one != other]


def turns(customer_id):
    rows = CustomerTurn.objects.filter(customer_id=customer_id).order_by("pk")
    return [(row.from_state, row.to_state, row.actor_label) for row in rows]


def test_a_whole_life_is_written_down(world):
    lead = identity.register_customer(
        kind="individual", name="Kemi Ade", phone="0803 555 0009", state="lead",
        source="radio", owner_id=world.sola.id, actor=SYSTEM, now=NOON,
    )  # fmt: skip
    step = {"customer_id": lead.pk, "actor": world.sola.actor, "now": NOON}

    identity.qualify_customer(**step, reason="wants fibre")
    identity.activate_customer(**step)
    identity.rest_customer(**step)
    identity.activate_customer(**{**step, "now": LATER})
    identity.rest_customer(**step)
    closed = identity.close_customer(**step, reason="moved to Abuja")
    reopened = identity.reopen_customer(**step, reason="is back")

    assert turns(lead.pk) == [
        ("lead", "prospect", "sola"),
        ("prospect", "active", "sola"),
        ("active", "dormant", "sola"),
        ("dormant", "active", "sola"),
        ("active", "dormant", "sola"),
        ("dormant", "closed", "sola"),
        ("closed", "prospect", "sola"),
    ]
    assert (lead.source, lead.owner_id) == ("radio", world.sola.id)
    assert closed.closed_at == NOON
    assert (reopened.state, reopened.closed_at) == ("prospect", None)
    assert reopened.activated_at == NOON  # when it first became a customer
    last = CustomerTurn.objects.filter(customer=lead).order_by("-pk")[0]
    assert (last.reason, last.at) == ("is back", NOON)


def test_every_step_repeated_changes_nothing(world):
    chidi = world.chidi.customer
    step = {"customer_id": chidi.pk, "actor": SYSTEM, "now": NOON}

    for _ in range(2):
        identity.qualify_customer(**step)
        identity.rest_customer(**step)
    assert turns(chidi.pk) == []
    for _ in range(2):
        identity.activate_customer(**step)
    for _ in range(2):
        identity.rest_customer(**step)
    for _ in range(2):
        identity.close_customer(**step)
    identity.rest_customer(**step)
    for _ in range(2):
        identity.reopen_customer(**step)
    assert [pair[:2] for pair in turns(chidi.pk)] == [
        ("prospect", "active"),
        ("active", "dormant"),
        ("dormant", "closed"),
        ("closed", "prospect"),
    ]


def test_a_closed_customer_does_not_become_active(world):
    step = {"customer_id": world.chidi.customer.pk, "actor": SYSTEM, "now": NOON}
    identity.close_customer(**step)

    with pytest.raises(CustomerClosed):
        identity.activate_customer(**step)


def test_reopening_names_whoever_has_the_number_by_now(world):
    first = world.chidi.customer
    step = {"customer_id": first.pk, "actor": SYSTEM, "now": NOON}
    identity.close_customer(**step)
    second = identity.register_customer(
        kind="individual", name="Chidi E.", phone=first.phone, actor=SYSTEM, now=NOON
    )

    with pytest.raises(PossibleDuplicate) as refused:
        identity.reopen_customer(**step)
    assert refused.value.facts["existing"] == second.reference
    identity.reopen_customer(**step, confirm_duplicate=True)

    first.refresh_from_db()
    assert (first.state, first.duplicate_confirmed) == ("prospect", True)


def test_a_reason_has_a_bounded_length(world):
    with pytest.raises(InvalidInput) as refused:
        identity.close_customer(
            customer_id=world.chidi.customer.pk,
            reason="x" * 301,
            actor=SYSTEM,
            now=NOON,
        )
    assert refused.value.field == "reason"
    assert turns(world.chidi.customer.pk) == []


@pytest.mark.parametrize(("one", "other"), ALL)
def test_the_database_keeps_the_table_of_the_rules(world, one, other):
    row = Customer.objects.create(
        reference="C-T", kind="individual", name="T", phone="+2348035550123",
        unit=world.operator, currency="NGN", state=one,
        closed_at=NOON if one == "closed" else None,
    )  # fmt: skip
    CustomerTurn.objects.create(
        customer=row, at=NOON, from_state=one, to_state=other,
        actor_kind="system", actor_label="tests",
    )  # fmt: skip

    def move():
        with transaction.atomic():
            Customer.objects.filter(pk=row.pk).update(
                state=other, closed_at=NOON if other == "closed" else None
            )

    if may_become(one, other):
        move()
    else:
        with pytest.raises(IntegrityError, match="does not become"):
            move()
    assert set(MOVES) == set(CustomerState)


def test_a_turn_without_its_line_is_refused(world):
    chidi = world.chidi.customer
    rows = Customer.objects.filter(pk=chidi.pk)
    with pytest.raises(IntegrityError, match="needs its line"), transaction.atomic():
        rows.update(state="active")
    step = {"customer_id": chidi.pk, "actor": SYSTEM, "now": NOON}
    identity.activate_customer(**step)
    identity.rest_customer(**step)

    # The line of an earlier turn of the same kind does not serve again.
    with pytest.raises(IntegrityError, match="needs its line"), transaction.atomic():
        rows.update(state="active")


def test_a_line_of_history_stays_but_may_lose_its_reason(world):
    step = {"customer_id": world.chidi.customer.pk, "actor": SYSTEM, "now": NOON}
    identity.close_customer(**step, reason="personal")
    rows = CustomerTurn.objects.all()
    for change in ({"to_state": "lead"}, {"reason": "another"}, {"actor_label": "x"}):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows.update(**change)
    rows.update(reason="")
    assert rows.get().reason == ""


def test_values_are_kept_where_they_can_be_forgotten(world):
    chidi = world.chidi.customer
    identity.change_customer(
        customer_id=chidi.pk,
        changes={"email": "new@mail.example", "owner_id": world.sola.id},
        actor=world.sola.actor,
        now=NOON,
    )

    kept = CustomerChange.objects.filter(customer=chidi).order_by("field")
    assert [(row.field, row.before, row.after) for row in kept] == [
        ("email", "chidi@mail.example", "new@mail.example"),
        ("owner", "", str(world.sola.id)),
    ]
    entry = AuditEntry.objects.get(action="identity.customer.changed.v1")
    assert entry.changes == {"fields": ["email", "owner_id"]}


def test_only_staff_at_work_follow_a_customer_up(world):
    for nobody in (world.dayo.id, 2**40):
        with pytest.raises(InvalidInput) as refused:
            identity.change_customer(
                customer_id=world.chidi.customer.pk,
                changes={"owner_id": nobody},
                actor=SYSTEM,
                now=NOON,
            )
        assert refused.value.field == "owner"
