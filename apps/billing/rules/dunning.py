"""What overdue debt leads to, as a function of the facts of one customer.

remind → walled garden → resume. The same function serves the run over all
customers, the review after a payment, and the overview that tells staff what
comes next. It knows no clock and no database.

A cut-off ends only when nothing is overdue any more (or a promise to pay
runs): paying the oldest of two overdue invoices does not reconnect. A
reminder is sent at most once a step, and never after a later step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

NO_CUT_OFF_DAYS_MAX = 31
DAYS_MAX = 365
HOURS = 24


class StepKind(StrEnum):
    REMIND = "remind"
    WALLED_GARDEN = "walled_garden"


class Pause(StrEnum):
    """Why a step that is due waits."""

    NONE = ""
    PROMISE = "promise"
    PAYMENT_PENDING = "payment_pending"
    NO_CUT_OFF_NOW = "no_cut_off_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do so many days after the earliest unpaid due date."""

    number: int
    kind: StepKind
    days_overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Steps in order, and when nobody may be cut off.

    `cut_off_weekdays` counts as ISO does (Monday is 1). Cut-offs happen from
    `cut_off_from_hour` until before `cut_off_to_hour`, operator's time.
    """

    steps: tuple[Step, ...]
    ignore_below_minor: int = 0
    cut_off_weekdays: frozenset[int] = frozenset(range(1, 8))
    cut_off_from_hour: int = 0
    cut_off_to_hour: int = 24
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts about one customer on one day.

    `due_date` is that of the earliest unpaid invoice; `step_done` is the
    highest step already taken for it since the customer was last connected;
    `walled` says that a cut-off of dunning is in force.
    """

    day: date
    hour: int
    due_date: date | None
    overdue_minor: int
    step_done: int = 0
    walled: bool = False
    pending_minor: int = 0
    promised_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do now, and what would come next."""

    remind: Step | None = None
    wall: Step | None = None
    resume: bool = False
    pause: Pause = Pause.NONE
    next_step: Step | None = None
    next_date: date | None = None
    skipped: tuple[Step, ...] = field(default=())

    @property
    def acts(self) -> bool:
        """True when something is to be done now. Skipping alone never happens."""
        return self.remind is not None or self.wall is not None or self.resume


def judge(policy: Policy, situation: Situation) -> Verdict:
    """The difference between how things are and how they should be."""
    if not owes(policy, situation):
        return Verdict(resume=situation.walled)
    if _promised(situation):
        step, day = _upcoming(policy, situation)
        return Verdict(
            resume=situation.walled, pause=Pause.PROMISE, next_step=step, next_date=day
        )
    if situation.walled:
        return Verdict()
    return _due_now(policy, situation)


def owes(policy: Policy, situation: Situation) -> bool:
    """True when something worth asking for is overdue."""
    return (
        situation.due_date is not None
        and situation.due_date < situation.day
        and situation.overdue_minor > policy.ignore_below_minor
    )


def policy_fault(policy: Policy) -> str:
    """What makes no sense about the policy, or nothing: the name of a part.

    Steps count from 1 and come later and later; at most one cut-off, the last.
    """
    days = [step.days_overdue for step in policy.steps]
    numbers = [step.number for step in policy.steps]
    early = [step.kind for step in policy.steps[:-1]]
    if numbers != list(range(1, len(numbers) + 1)) or StepKind.WALLED_GARDEN in early:
        return "steps"
    if days != sorted(set(days)) or not all(1 <= day <= DAYS_MAX for day in days):
        return "steps"
    if not policy.cut_off_weekdays <= frozenset(range(1, 8)):
        return "cut_off_weekdays"
    if not 0 <= policy.cut_off_from_hour < policy.cut_off_to_hour <= HOURS:
        return "cut_off_to_hour"
    return "ignore_below" if policy.ignore_below_minor < 0 else ""


def may_cut_off(policy: Policy, day: date, hour: int) -> bool:
    """False on the policy's free days and outside its hours."""
    return (
        _is_cut_off_day(policy, day)
        and policy.cut_off_from_hour <= hour < policy.cut_off_to_hour
    )


def cut_off_day(policy: Policy, day: date) -> date:
    """The first day from this one on that allows a cut-off.

    A policy without any such day in a month never cuts off; the day itself is
    then returned.
    """
    for later in range(NO_CUT_OFF_DAYS_MAX):
        candidate = day + timedelta(days=later)
        if _is_cut_off_day(policy, candidate):
            return candidate
    return day


def _due_now(policy: Policy, situation: Situation) -> Verdict:
    open_steps = _open_steps(policy, situation)
    age = _age(situation)
    due = [step for step in open_steps if step.days_overdue <= age]
    reminders = [step for step in due if step.kind == StepKind.REMIND]
    walls = [step for step in due if step.kind == StepKind.WALLED_GARDEN]
    pause = _pause(policy, situation) if walls else Pause.NONE
    wall = walls[0] if walls and pause == Pause.NONE else None
    remind = reminders[-1] if reminders else None

    later = (
        None if wall else next(iter(s for s in open_steps if s not in reminders), None)
    )
    return Verdict(
        remind=remind,
        wall=wall,
        pause=pause,
        skipped=tuple(reminders[:-1]),
        next_step=later,
        next_date=_day_of(policy, situation, later),
    )


def _upcoming(policy: Policy, situation: Situation) -> tuple[Step | None, date | None]:
    step = next(iter(_open_steps(policy, situation)), None)
    return step, _day_of(policy, situation, step)


def _open_steps(policy: Policy, situation: Situation) -> list[Step]:
    ordered = sorted(policy.steps, key=lambda step: step.number)
    return [step for step in ordered if step.number > situation.step_done]


def _day_of(policy: Policy, situation: Situation, step: Step | None) -> date | None:
    if step is None:
        return None
    assert situation.due_date is not None
    day = max(situation.due_date + timedelta(days=step.days_overdue), situation.day)
    if _promised(situation):
        assert situation.promised_date is not None
        day = max(day, situation.promised_date + timedelta(days=1))
    if step.kind == StepKind.WALLED_GARDEN:
        closed = day == situation.day and situation.hour >= policy.cut_off_to_hour
        day = cut_off_day(policy, day + timedelta(days=1) if closed else day)
    return day


def _pause(policy: Policy, situation: Situation) -> Pause:
    if situation.pending_minor >= situation.overdue_minor:
        return Pause.PAYMENT_PENDING
    if not may_cut_off(policy, situation.day, situation.hour):
        return Pause.NO_CUT_OFF_NOW
    return Pause.NONE


def _promised(situation: Situation) -> bool:
    promised = situation.promised_date
    return promised is not None and situation.day <= promised


def _age(situation: Situation) -> int:
    assert situation.due_date is not None
    return (situation.day - situation.due_date).days


def _is_cut_off_day(policy: Policy, day: date) -> bool:
    return day.isoweekday() in policy.cut_off_weekdays and day not in policy.holidays
