"""Dunning: remind, cut off, reconnect. All of it is one recomputation.

`run_dunning` recomputes everybody, `review_customer` one customer; both read
the facts from the ledger's invoices in one statement, let the pure rule judge,
and apply the difference. Applying holds the customer and judges again, so a
payment that arrives meanwhile counts.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from apps.billing import events
from apps.billing.enums.payments import CutOffEnd, DunningOutcome
from apps.billing.errors import payments as errors
from apps.billing.models import DunningAction, DunningStep, Invoice, PromiseToPay
from apps.billing.operations.letters import write_to
from apps.billing.operations.locks import lock_customer
from apps.billing.rules import dunning as rules
from apps.billing.selectors.dunning import (
    SITUATIONS_MAX,
    CustomerSituation,
    customers_with_open_service,
    dunning_policy,
    situation_of,
    situations,
)
from apps.catalog import operations as catalog_operations
from apps.catalog import selectors as catalog
from apps.network.enums import HoldEffect, HoldReason
from apps.ops import operations as ops
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import Actor, system_actor
from dotmac.core.errors import DomainError

log = logging.getLogger(__name__)

CHUNKS_MAX = 100_000
PROMISE_DAYS_MAX = 31
DUNNING = system_actor("dunning")


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningReport:
    """What one run looked at and did."""

    day: date
    looked_at: int = 0
    reminded: int = 0
    cut_off: int = 0
    reconnected: int = 0
    refused: int = 0


def run_dunning(*, day: date, actor: Actor, now: datetime) -> DunningReport:
    """Judge everybody for the day and apply what differs. Harmless to repeat.

    Each customer is a transaction of its own; one whose services cannot be
    reached is logged, counted as refused, and tried again by the next run.
    """
    policy = dunning_policy()
    done: Counter[str] = Counter()
    after_id = 0
    for _ in range(CHUNKS_MAX):
        chunk = situations(day=day, now=now, after_id=after_id)
        if policy is None or not chunk:
            break
        after_id = chunk[-1].customer_id
        done["looked_at"] += len(chunk)
        for customer_id in _who_needs_something(policy, chunk):
            done += _apply_or_log(policy, customer_id, day, actor, now)
        if len(chunk) < SITUATIONS_MAX:
            break
    return DunningReport(day=day, **done)


@transaction.atomic
def review_customer(*, customer_id: int, actor: Actor = DUNNING, now: datetime) -> None:
    """Judge one customer anew, as the run would today: after a payment, say.

    Paying what is overdue reconnects; a part of it does not. Also lifts a
    non-payment hold that staff placed, once nothing is overdue.
    """
    lock_customer(customer_id)
    policy = dunning_policy()
    if policy is None:
        return
    day = ops_selectors.business_date(now=now)
    situation = situation_of(customer_id, day=day, now=now)
    _apply(policy, situation, actor, now)
    if not situation.facts.walled and not rules.owes(policy, situation.facts):
        _reconnect(customer_id, actor, now)


@transaction.atomic
def promise_to_pay(
    *,
    customer_id: int,
    promised_date: date,
    note: str = "",
    actor: Actor,
    now: datetime,
) -> PromiseToPay:
    """Wait with dunning until the date; reconnects a customer that is cut off.

    Replaces an earlier promise. Refused when nothing is overdue, and for a date
    that is past or more than PROMISE_DAYS_MAX days away.
    """
    lock_customer(customer_id)
    today = ops_selectors.business_date(now=now)
    situation = situation_of(customer_id, day=today, now=now)
    current = _current_promise(customer_id)
    if current is not None and (current.promised_date, current.note) == (
        promised_date,
        note.strip(),
    ):
        return current
    if not today <= promised_date <= today + timedelta(days=PROMISE_DAYS_MAX):
        raise errors.PromiseDateWrong(field="promised_date", days=PROMISE_DAYS_MAX)
    if situation.facts.overdue_minor <= 0:
        raise errors.NothingOverdue

    if current is not None:
        current.withdrawn_at = now
        current.store("withdrawn_at", now=now)
    promise = PromiseToPay.objects.create(
        customer_id=customer_id,
        promised_date=promised_date,
        note=note.strip(),
        made_by=actor.label[:150],
        made_at=now,
        created_at=now,
        updated_at=now,
    )
    fact = events.PaymentPromised(
        occurred_at=now,
        of_customer_id=customer_id,
        promise_id=promise.pk,
        promised_date=promised_date,
    )
    ops.emit(fact, actor=actor)
    review_customer(customer_id=customer_id, actor=actor, now=now)
    return promise


@transaction.atomic
def withdraw_promise(*, customer_id: int, actor: Actor, now: datetime) -> None:
    """Go on with dunning at once. Without a promise nothing happens."""
    lock_customer(customer_id)
    promise = _current_promise(customer_id)
    if promise is None:
        return

    promise.withdrawn_at = now
    promise.store("withdrawn_at", now=now)
    fact = events.PromiseWithdrawn(
        occurred_at=now, of_customer_id=customer_id, promise_id=promise.pk
    )
    ops.emit(fact, actor=actor)
    review_customer(customer_id=customer_id, actor=actor, now=now)


def _current_promise(customer_id: int) -> PromiseToPay | None:
    return PromiseToPay.objects.filter(
        customer_id=customer_id, withdrawn_at__isnull=True
    ).first()


def _who_needs_something(
    policy: rules.Policy, chunk: Sequence[CustomerSituation]
) -> list[int]:
    """Customers with a step due, and those cut off with a service still open."""
    due = set()
    walled = []
    for situation in chunk:
        verdict = rules.judge(policy, situation.facts)
        if verdict.acts:
            due.add(situation.customer_id)
        elif situation.facts.walled:
            walled.append(situation.customer_id)
    return sorted(due | customers_with_open_service(walled))


def _apply_or_log(
    policy: rules.Policy, customer_id: int, day: date, actor: Actor, now: datetime
) -> Counter[str]:
    try:
        with transaction.atomic():
            lock_customer(customer_id)
            situation = situation_of(customer_id, day=day, now=now)
            return _apply(policy, situation, actor, now)
    except DomainError as refusal:
        log.warning(
            "dunning_refused", extra={"customer": customer_id, "code": refusal.code}
        )
        return Counter(refused=1)


def _apply(
    policy: rules.Policy, situation: CustomerSituation, actor: Actor, now: datetime
) -> Counter[str]:
    """The difference between what is and what should be. The customer is held."""
    verdict = rules.judge(policy, situation.facts)
    done: Counter[str] = Counter()
    for step in verdict.skipped:
        _write_action(situation, step, DunningOutcome.SKIPPED, now)
    if verdict.remind is not None:
        _remind(situation, verdict.remind, actor, now)
        done["reminded"] += 1
    if verdict.wall is not None:
        _cut_off(situation, verdict.wall, actor, now)
        done["cut_off"] += 1
    elif verdict.resume:
        _end_cut_off(situation, verdict, actor, now)
        done["reconnected"] += 1
    elif situation.facts.walled:
        _suspend_services(situation.customer_id, actor, now)
    return done


def _remind(
    situation: CustomerSituation, step: rules.Step, actor: Actor, now: datetime
) -> None:
    action = _write_action(situation, step, DunningOutcome.TAKEN, now)
    fact = events.CustomerReminded(
        occurred_at=now,
        of_customer_id=situation.customer_id,
        action_id=action.pk,
        invoice_id=action.invoice_id,
        step=step.number,
        day=action.day,
    )
    ops.emit(fact, actor=actor)
    _write_letter("reminder", action, now)


def _cut_off(
    situation: CustomerSituation, step: rules.Step, actor: Actor, now: datetime
) -> None:
    action = _write_action(situation, step, DunningOutcome.TAKEN, now)
    _suspend_services(situation.customer_id, actor, now)
    fact = events.CustomerCutOff(
        occurred_at=now,
        of_customer_id=situation.customer_id,
        action_id=action.pk,
        invoice_id=action.invoice_id,
        step=step.number,
        day=action.day,
    )
    ops.emit(fact, actor=actor)
    _write_letter("cut_off", action, now)


def _end_cut_off(
    situation: CustomerSituation, verdict: rules.Verdict, actor: Actor, now: datetime
) -> None:
    promised = verdict.pause == rules.Pause.PROMISE
    assert situation.cut_off_id is not None
    action = DunningAction.objects.get(pk=situation.cut_off_id)
    action.ended_at = now
    action.ended_by = CutOffEnd.PROMISE if promised else CutOffEnd.PAID
    action.save(update_fields=["ended_at", "ended_by"])
    _reconnect(situation.customer_id, actor, now)
    fact = events.CustomerReconnected(
        occurred_at=now,
        of_customer_id=situation.customer_id,
        action_id=action.pk,
        why=action.ended_by,
        day=situation.facts.day,
    )
    ops.emit(fact, actor=actor)
    _write_letter("reconnected", action, now)


def _write_action(
    situation: CustomerSituation,
    step: rules.Step,
    outcome: DunningOutcome,
    now: datetime,
) -> DunningAction:
    assert situation.invoice_id is not None
    assert situation.facts.due_date is not None
    row = DunningStep.objects.get(policy__is_default=True, number=step.number)
    return DunningAction.objects.create(
        customer_id=situation.customer_id,
        invoice_id=situation.invoice_id,
        step=row,
        round=situation.round,
        outcome=outcome,
        cuts_off=step.kind == rules.StepKind.WALLED_GARDEN,
        day=situation.facts.day,
        due_date=situation.facts.due_date,
        overdue_minor=situation.facts.overdue_minor,
        currency=situation.currency,
        taken_at=now,
    )


def _write_letter(letter: str, action: DunningAction, now: datetime) -> None:
    invoice = Invoice.objects.get(pk=action.invoice_id)
    write_to(
        action.customer_id,
        letter=letter,
        facts={"overdue": invoice.money(action.overdue_minor), "invoice": invoice},
        unique_key=f"dunning:{letter}:{action.pk}",
        now=now,
    )


def _suspend_services(customer_id: int, actor: Actor, now: datetime) -> None:
    """Hold every active service of the customer; held ones stay as they are."""
    for service in catalog.active_services_of([customer_id]).order_by("pk"):
        catalog_operations.suspend_service(
            service_id=service.pk,
            reason=HoldReason.NON_PAYMENT,
            effect=HoldEffect.WALLED_GARDEN,
            note="dunning",
            actor=actor,
            now=now,
        )


def _reconnect(customer_id: int, actor: Actor, now: datetime) -> None:
    """Lift the non-payment hold of every active service; other holds stay."""
    for service in catalog.active_services_of([customer_id]).order_by("pk"):
        catalog_operations.resume_service(
            service_id=service.pk,
            reason=HoldReason.NON_PAYMENT,
            actor=actor,
            now=now,
        )
