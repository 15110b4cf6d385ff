"""Changing when customers are reminded and cut off."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import transaction

from apps.billing import events
from apps.billing.errors import payments as errors
from apps.billing.models import DunningPolicy, DunningStep, NoCutOffDay
from apps.billing.rules.dunning import Policy, Step, policy_fault
from apps.billing.selectors.dunning import policy_of
from apps.ops import operations as ops
from dotmac.core.actors import Actor

HOLIDAYS_MAX = 200
STEPS_MAX = 10


@transaction.atomic
def set_dunning_policy(
    *,
    steps: Sequence[Step],
    ignore_below_minor: int,
    cut_off_weekdays: Collection[int],
    cut_off_from_hour: int,
    cut_off_to_hour: int,
    holidays: Collection[date],
    actor: Actor,
    now: datetime,
) -> DunningPolicy:
    """Put a new version of the policy in force; the old ones stay for history.

    The same values again change nothing. Refused when the steps do not go on in
    number and days, or when hours or weekdays make no sense.
    """
    wanted = Policy(
        steps=tuple(steps),
        ignore_below_minor=ignore_below_minor,
        cut_off_weekdays=frozenset(cut_off_weekdays),
        cut_off_from_hour=cut_off_from_hour,
        cut_off_to_hour=cut_off_to_hour,
        holidays=frozenset(holidays),
    )
    versions = DunningPolicy.objects.select_for_update(no_key=True).order_by("pk")
    current = next((row for row in versions if row.is_default), None)
    if current is not None and policy_of(current) == wanted:
        return current
    if fault := policy_fault(wanted):
        raise errors.PolicyWrong(fault=fault, field=fault)
    if len(wanted.steps) > STEPS_MAX or len(wanted.holidays) > HOLIDAYS_MAX:
        raise errors.PolicyWrong(fault="too_many", field="steps")

    DunningPolicy.objects.filter(is_default=True).update(is_default=False)
    policy = _write(wanted, version=len(versions) + 1, now=now)
    fact = events.DunningPolicySet(
        occurred_at=now,
        policy_id=policy.pk,
        slug=policy.slug,
        steps=", ".join(f"{step.days_overdue} {step.kind}" for step in wanted.steps),
    )
    ops.emit(fact, actor=actor)
    return policy


def _write(wanted: Policy, *, version: int, now: datetime) -> DunningPolicy:
    policy = DunningPolicy.objects.create(
        slug=f"version-{version}",
        name=f"Version {version}",
        is_default=True,
        ignore_below_minor=wanted.ignore_below_minor,
        cut_off_weekdays=sorted(wanted.cut_off_weekdays),
        cut_off_from_hour=wanted.cut_off_from_hour,
        cut_off_to_hour=wanted.cut_off_to_hour,
        created_at=now,
        updated_at=now,
    )
    DunningStep.objects.bulk_create(
        DunningStep(
            policy=policy,
            number=step.number,
            kind=step.kind,
            days_overdue=step.days_overdue,
            created_at=now,
            updated_at=now,
        )
        for step in wanted.steps
    )
    NoCutOffDay.objects.bulk_create(
        NoCutOffDay(policy=policy, day=day, created_at=now, updated_at=now)
        for day in sorted(wanted.holidays)
    )
    return policy
