"""Dunning judges facts: it reminds, cuts off, waits and reconnects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.rules.dunning import (
    Pause,
    Policy,
    Situation,
    Step,
    StepKind,
    Verdict,
    cut_off_day,
    judge,
    may_cut_off,
    owes,
    policy_fault,
)

pytestmark = pytest.mark.unit

FIRST = Step(number=1, kind=StepKind.REMIND, days_overdue=1)
SECOND = Step(number=2, kind=StepKind.REMIND, days_overdue=7)
WALL = Step(number=3, kind=StepKind.WALLED_GARDEN, days_overdue=14)
POLICY = Policy(steps=(FIRST, SECOND, WALL))
DUE = date(2026, 9, 14)  # a Monday


def at(days: int, **facts) -> Situation:
    base = Situation(
        day=DUE + timedelta(days=days), hour=10, due_date=DUE, overdue_minor=1000
    )
    return replace(base, **facts)


def test_does_nothing_on_the_due_date():
    assert judge(POLICY, at(0)) == Verdict()


def test_reminds_the_day_after():
    verdict = judge(POLICY, at(1))

    assert verdict == Verdict(
        remind=FIRST, next_step=SECOND, next_date=DUE + timedelta(days=7)
    )


def test_reminds_once_a_step():
    verdict = judge(POLICY, at(6, step_done=1))

    assert verdict == Verdict(next_step=SECOND, next_date=DUE + timedelta(days=7))
    assert not verdict.acts


def test_cuts_off_after_the_reminders():
    assert judge(POLICY, at(14, step_done=2)) == Verdict(wall=WALL)


def test_takes_the_latest_reminder_and_the_cut_off_when_nobody_ran_it_for_weeks():
    verdict = judge(POLICY, at(40))

    assert verdict == Verdict(remind=SECOND, wall=WALL, skipped=(FIRST,))


def test_reconnects_when_nothing_is_overdue_any_more():
    paid = at(30, overdue_minor=0, due_date=None, walled=True, step_done=0)

    assert judge(POLICY, paid) == Verdict(resume=True)


def test_reconnects_when_only_a_bill_that_is_not_due_yet_is_open():
    situation = at(-3, overdue_minor=0, walled=True)

    assert judge(POLICY, situation) == Verdict(resume=True)


def test_stays_cut_off_after_a_part_was_paid():
    younger = at(2, walled=True, step_done=0)

    assert judge(POLICY, younger) == Verdict()


def test_ignores_small_debts():
    lenient = replace(POLICY, ignore_below_minor=1000)

    assert judge(lenient, at(20)) == Verdict()
    assert owes(lenient, at(20, overdue_minor=1001))
    assert judge(lenient, at(20, walled=True)) == Verdict(resume=True)


def test_waits_while_a_promise_runs():
    promised = at(20, promised_date=DUE + timedelta(days=22), step_done=2)

    verdict = judge(POLICY, promised)

    assert verdict == Verdict(
        pause=Pause.PROMISE, next_step=WALL, next_date=DUE + timedelta(days=23)
    )


def test_reconnects_for_a_promise():
    promised = at(20, promised_date=DUE + timedelta(days=22), step_done=3, walled=True)

    assert judge(POLICY, promised) == Verdict(resume=True, pause=Pause.PROMISE)


def test_goes_on_the_day_after_a_promise_that_was_not_kept():
    broken = at(23, promised_date=DUE + timedelta(days=22), step_done=2)

    assert judge(POLICY, broken).wall == WALL


def test_waits_for_a_payment_under_way_that_covers_the_debt():
    waiting = judge(POLICY, at(14, step_done=2, pending_minor=1000))
    too_little = judge(POLICY, at(14, step_done=2, pending_minor=999))

    assert (waiting.wall, waiting.pause) == (None, Pause.PAYMENT_PENDING)
    assert too_little.wall == WALL


def test_still_reminds_while_nobody_may_be_cut_off():
    never = replace(POLICY, cut_off_weekdays=frozenset())

    verdict = judge(never, at(14))

    assert (verdict.remind, verdict.wall) == (SECOND, None)
    assert verdict.pause == Pause.NO_CUT_OFF_NOW
    assert cut_off_day(never, DUE) == DUE


@pytest.mark.parametrize(
    ("_case", "day", "hour", "allowed"),
    [
        ("a Monday at ten", date(2026, 9, 28), 10, True),
        ("the first minute of the hours", date(2026, 9, 28), 8, True),
        ("too early", date(2026, 9, 28), 7, False),
        ("the end of the hours", date(2026, 9, 28), 16, False),
        ("a Saturday", date(2026, 10, 3), 10, False),
        ("a holiday", date(2026, 10, 1), 10, False),
    ],
)
def test_keeps_free_days_and_hours(_case, day, hour, allowed):
    office = replace(
        POLICY,
        cut_off_weekdays=frozenset({1, 2, 3, 4, 5}),
        cut_off_from_hour=8,
        cut_off_to_hour=16,
        holidays=frozenset({date(2026, 10, 1)}),
    )

    assert may_cut_off(office, day, hour) is allowed


def test_names_the_day_on_which_the_cut_off_will_come():
    weekdays = replace(
        POLICY,
        cut_off_weekdays=frozenset({1, 2, 3, 4, 5}),
        cut_off_to_hour=16,
        holidays=frozenset({DUE + timedelta(days=14)}),
    )

    friday_evening = at(18, step_done=2, hour=18)
    holiday = at(13, step_done=2)

    assert judge(weekdays, friday_evening).next_date == DUE + timedelta(days=21)
    assert judge(weekdays, holiday).next_date == DUE + timedelta(days=15)


days = st.integers(-10, 120)
situations = st.builds(
    at,
    days,
    hour=st.integers(0, 23),
    overdue_minor=st.integers(0, 5000),
    step_done=st.integers(0, 3),
    walled=st.booleans(),
    pending_minor=st.integers(0, 5000),
    promised_date=st.none() | days.map(lambda later: DUE + timedelta(days=later)),
)


@given(situations)
def test_never_cuts_off_and_reconnects_at_once(situation):
    verdict = judge(POLICY, situation)

    assert not (verdict.wall and verdict.resume)
    assert verdict.wall is None or owes(POLICY, situation)
    assert not (verdict.wall and situation.walled)
    assert verdict.resume is False or situation.walled


@given(situations)
def test_changes_nothing_when_it_is_repeated(situation):
    """The facts after acting on a verdict lead to no further act that day."""
    verdict = judge(POLICY, situation)
    taken = [s.number for s in (*verdict.skipped, verdict.remind, verdict.wall) if s]
    after = replace(
        situation,
        step_done=max([situation.step_done, *taken]),
        walled=bool(verdict.wall) or (situation.walled and not verdict.resume),
    )
    if verdict.resume and verdict.pause == Pause.NONE:
        after = replace(after, overdue_minor=0)

    assert not judge(POLICY, after).acts


@pytest.mark.parametrize(
    ("_case", "changes", "fault"),
    [
        ("as it is", {}, ""),
        ("no steps at all", {"steps": ()}, ""),
        ("steps out of number", {"steps": (SECOND, WALL)}, "steps"),
        (
            "the cut-off first",
            {"steps": (replace(WALL, number=1), replace(SECOND, days_overdue=20))},
            "steps",
        ),
        ("twice the same day", {"steps": (FIRST, replace(FIRST, number=2))}, "steps"),
        ("on the due date", {"steps": (replace(FIRST, days_overdue=0),)}, "steps"),
        ("a ninth weekday", {"cut_off_weekdays": frozenset({9})}, "cut_off_weekdays"),
        ("no hour left", {"cut_off_from_hour": 24}, "cut_off_to_hour"),
        ("after midnight", {"cut_off_to_hour": 25}, "cut_off_to_hour"),
        ("less than nothing", {"ignore_below_minor": -1}, "ignore_below"),
    ],
)
def test_finds_what_makes_no_sense_about_a_policy(_case, changes, fault):
    assert policy_fault(replace(POLICY, **changes)) == fault
