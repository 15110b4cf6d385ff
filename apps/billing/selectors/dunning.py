"""Who owes what since when, what dunning did about it, and why somebody is cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from apps.billing.enums.payments import CutOffEnd
from apps.billing.models import (
    DunningAction,
    DunningPolicy,
    DunningStep,
    NoCutOffDay,
    PromiseToPay,
)
from apps.billing.rules import dunning as rules
from apps.catalog import selectors as catalog
from apps.network import selectors as network
from apps.network.enums import HoldReason
from dotmac.core.db import fetch_dicts
from dotmac.core.money import Money

SITUATIONS_MAX = 1000
VIEWS_MAX = 500
# A checkout younger than this is taken for a payment under way; an older one
# only when the gateway itself says that it still works on it.
UNDER_WAY = timedelta(minutes=30)
_WORKING = ["ongoing", "pending", "processing", "queued"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSituation:
    """The facts that dunning judges for one customer, with the rows behind them."""

    customer_id: int
    currency: str
    invoice_id: int | None
    round: int
    cut_off_id: int | None
    open_minor: int
    facts: rules.Situation

    @property
    def overdue(self) -> Money:
        return Money(self.facts.overdue_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhySuspended:
    """Why dunning has a customer cut off: for people to read."""

    customer_id: int
    policy: str
    step_number: int
    invoice_id: int
    invoice_reference: str
    due_date: date
    overdue: Money
    since: datetime


def dunning_policy() -> rules.Policy | None:
    """The policy in force, or None where the operator has none."""
    row = DunningPolicy.objects.filter(is_default=True).first()
    return policy_of(row) if row is not None else None


def policy_of(row: DunningPolicy) -> rules.Policy:
    """A stored version of the policy as the rule reads it."""
    steps = DunningStep.objects.filter(policy=row).order_by("number")
    holidays = NoCutOffDay.objects.filter(policy=row)
    return rules.Policy(
        steps=tuple(
            rules.Step(
                number=step.number,
                kind=rules.StepKind(step.kind),
                days_overdue=step.days_overdue,
            )
            for step in steps
        ),
        ignore_below_minor=row.ignore_below_minor,
        cut_off_weekdays=frozenset(row.cut_off_weekdays),
        cut_off_from_hour=row.cut_off_from_hour,
        cut_off_to_hour=row.cut_off_to_hour,
        holidays=frozenset(holidays.values_list("day", flat=True)),
    )


def situations(
    *, day: date, now: datetime, after_id: int = 0, limit: int = SITUATIONS_MAX
) -> list[CustomerSituation]:
    """Everybody with something overdue or a cut-off in force, by customer key.

    One statement a chunk, straight from invoices, payments and past actions.
    """
    # Each half stops at the limit by its own index, however many owe.
    candidates = """
        (SELECT DISTINCT customer_id FROM billing_invoice
          WHERE kind = 'invoice' AND state = 'open' AND due_date < %(day)s
            AND customer_id > %(after)s
          ORDER BY customer_id LIMIT %(limit)s)
        UNION
        (SELECT customer_id FROM billing_dunningaction
          WHERE cuts_off AND ended_at IS NULL AND customer_id > %(after)s
          ORDER BY customer_id LIMIT %(limit)s)
        ORDER BY customer_id LIMIT %(limit)s"""
    chosen = {"after": after_id, "limit": min(limit, SITUATIONS_MAX)}
    return _situations(candidates, chosen, day=day, now=now)


def situations_of(
    customer_ids: Sequence[int], *, day: date, now: datetime
) -> dict[int, CustomerSituation]:
    """The same facts for the customers named, by customer."""
    assert len(customer_ids) <= SITUATIONS_MAX
    candidates = "SELECT unnest(%(ids)s::bigint[]) AS customer_id"
    rows = _situations(candidates, {"ids": list(customer_ids)}, day=day, now=now)
    return {row.customer_id: row for row in rows}


def situation_of(customer_id: int, *, day: date, now: datetime) -> CustomerSituation:
    return situations_of([customer_id], day=day, now=now)[customer_id]


def customers_with_open_service(customer_ids: Sequence[int]) -> set[int]:
    """Of these customers, those with an active service that nothing holds for
    non-payment: one ordered after the cut-off, say."""
    services = catalog.active_services_of(customer_ids)
    rows = services.values_list("access_id", "customer_id")
    owner = {int(access): customer for access, customer in rows if access}
    found = set()
    accounts = sorted(owner)
    for start in range(0, len(accounts), VIEWS_MAX):
        views = network.account_views(accounts[start : start + VIEWS_MAX])
        for account_id, view in views.items():
            if HoldReason.NON_PAYMENT not in {hold.reason for hold in view.holds}:
                found.add(owner[account_id])
    return found


def why_suspended(customer_id: int) -> WhySuspended | None:
    """The cut-off in force with its reason, or None."""
    return why_suspended_of([customer_id]).get(customer_id)


def why_suspended_of(customer_ids: Sequence[int]) -> dict[int, WhySuspended]:
    """The cut-offs in force of these customers, in two statements."""
    actions = (
        DunningAction.objects.cut_offs()
        .filter(customer_id__in=list(customer_ids))
        .select_related("step__policy", "invoice")
    )
    owed = _overdue_now([action.customer_id for action in actions])
    return {
        action.customer_id: WhySuspended(
            customer_id=action.customer_id,
            policy=action.step.policy.name,
            step_number=action.step.number,
            invoice_id=action.invoice_id,
            invoice_reference=str(action.invoice),
            due_date=action.due_date,
            overdue=Money(owed.get(action.customer_id, 0), action.currency),
            since=action.taken_at,
        )
        for action in actions
    }


def dunning_actions_of(customer_id: int, *, limit: int) -> list[DunningAction]:
    """What dunning did with one customer, newest first."""
    rows = DunningAction.objects.filter(customer_id=customer_id)
    return list(rows.select_related("step", "invoice").order_by("-pk")[:limit])


def promise_of(customer_id: int) -> PromiseToPay | None:
    """The promise that was made last and not withdrawn; it may have lapsed."""
    return PromiseToPay.objects.filter(
        customer_id=customer_id, withdrawn_at__isnull=True
    ).first()


def _overdue_now(customer_ids: Sequence[int]) -> dict[int, int]:
    """Open amounts of the invoices that dunning acts on, whatever the day."""
    rows = fetch_dicts(
        """SELECT a.customer_id,
                  coalesce(sum(i.total_minor - i.allocated_minor - i.credited_minor), 0)
                      ::bigint AS minor
             FROM billing_dunningaction a
             JOIN billing_invoice i ON i.customer_id = a.customer_id
                  AND i.kind = 'invoice' AND i.state = 'open' AND i.due_date < a.day
            WHERE a.cuts_off AND a.ended_at IS NULL AND a.customer_id = ANY(%(ids)s)
            GROUP BY a.customer_id""",
        {"ids": list(customer_ids)},
    )
    return {row["customer_id"]: row["minor"] for row in rows}


def _situations(
    candidates: str, chosen: Mapping[str, object], *, day: date, now: datetime
) -> list[CustomerSituation]:
    rows = fetch_dicts(
        _SITUATIONS.replace("{candidates}", candidates),
        {
            **chosen,
            "day": day,
            "under_way": now - UNDER_WAY,
            "working": _WORKING,
            "paid": CutOffEnd.PAID,
        },
    )
    hour = now.astimezone(settings.OPERATOR_ZONE).hour
    return [
        CustomerSituation(
            customer_id=row["customer_id"],
            currency=row["currency"] or settings.OPERATOR_CURRENCY,
            invoice_id=row["invoice_id"],
            round=row["round"],
            cut_off_id=row["cut_off_id"],
            open_minor=row["open_minor"],
            facts=rules.Situation(
                day=day,
                hour=hour,
                due_date=row["due_date"],
                overdue_minor=row["overdue_minor"],
                step_done=row["step_done"],
                walled=row["cut_off_id"] is not None,
                pending_minor=row["pending_minor"],
                promised_date=row["promised_date"],
            ),
        )
        for row in rows
    ]


# A round begins when the customer is connected again: a promise that is not
# kept, or a payment that is reversed, starts the steps anew.
_SITUATIONS = """
    WITH candidate AS ({candidates}),
    debt AS (
        SELECT i.customer_id,
               min(i.currency) AS currency,
               (array_agg(i.id ORDER BY i.due_date, i.id))[1] AS invoice_id,
               min(i.due_date) AS due_date,
               sum(i.total_minor - i.allocated_minor - i.credited_minor) AS open_minor,
               coalesce(sum(i.total_minor - i.allocated_minor - i.credited_minor)
                        FILTER (WHERE i.due_date < %(day)s), 0) AS overdue_minor
          FROM candidate JOIN billing_invoice i USING (customer_id)
         WHERE i.kind = 'invoice' AND i.state = 'open'
         GROUP BY i.customer_id)
    SELECT candidate.customer_id, debt.currency, debt.invoice_id, debt.due_date,
           coalesce(debt.open_minor, 0)::bigint AS open_minor,
           coalesce(debt.overdue_minor, 0)::bigint AS overdue_minor,
           coalesce(pending.minor, 0)::bigint AS pending_minor,
           promise.promised_date, cut_off.id AS cut_off_id,
           past.round, coalesce(done.number, 0) AS step_done
      FROM candidate
      LEFT JOIN debt USING (customer_id)
      LEFT JOIN billing_dunningaction cut_off
             ON cut_off.customer_id = candidate.customer_id
            AND cut_off.cuts_off AND cut_off.ended_at IS NULL
      LEFT JOIN billing_promisetopay promise
             ON promise.customer_id = candidate.customer_id
            AND promise.withdrawn_at IS NULL
      LEFT JOIN LATERAL (
            SELECT sum(p.amount_minor) AS minor
              FROM billing_payment p JOIN billing_checkoutintent c ON c.payment_id = p.id
             WHERE p.customer_id = candidate.customer_id AND p.state = 'pending'
               AND (p.created_at > %(under_way)s
                    OR c.provider_status = ANY(%(working)s))
           ) pending ON true
      LEFT JOIN LATERAL (
            SELECT count(*) + 1 AS round FROM billing_dunningaction a
             WHERE a.customer_id = candidate.customer_id
               AND a.invoice_id = debt.invoice_id
               AND a.cuts_off AND a.ended_at IS NOT NULL
           ) past ON true
      LEFT JOIN LATERAL (
            SELECT max(s.number) AS number
              FROM billing_dunningaction a JOIN billing_dunningstep s ON s.id = a.step_id
             WHERE a.customer_id = candidate.customer_id
               AND a.invoice_id = debt.invoice_id AND a.round = past.round
           ) done ON true
     ORDER BY candidate.customer_id
"""
