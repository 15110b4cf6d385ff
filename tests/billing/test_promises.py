"""A promise to pay lets dunning wait, and no longer than promised."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.billing import errors, selectors
from apps.billing import operations as billing
from apps.billing.models import DunningAction, PromiseToPay
from tests.billing.dunned import WALL_DAY, counts, events, on, run, shown
from tests.billing.owing import TODAY, bill
from tests.world import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


def promise(who, days: int, *, at: int, note=""):
    return billing.promise_to_pay(
        customer_id=who.customer.pk,
        promised_date=TODAY + timedelta(days=days),
        note=note,
        actor=SYSTEM,
        now=on(at),
    )


def test_waits_for_a_promise_and_then_goes_on(dayo):
    bill(dayo.customer)
    promise(dayo, 16, at=13)

    assert counts(run(WALL_DAY)) == (0, 0, 0)
    assert counts(run(16)) == (0, 0, 0)
    assert run(17).cut_off == 1


def test_reconnects_for_a_promise_and_cuts_off_again_when_it_is_broken(dayo):
    bill(dayo.customer)
    run(WALL_DAY)

    promise(dayo, 16, at=WALL_DAY)

    assert shown(dayo) == "active"
    ended = DunningAction.objects.get(cuts_off=True)
    assert ended.ended_by == "promise"
    assert run(17).cut_off == 1
    assert shown(dayo) == "walled_garden"


def test_takes_back_a_promise(dayo):
    bill(dayo.customer)
    run(WALL_DAY)
    promise(dayo, 16, at=WALL_DAY)

    billing.withdraw_promise(
        customer_id=dayo.customer.pk, actor=SYSTEM, now=on(WALL_DAY)
    )
    billing.withdraw_promise(
        customer_id=dayo.customer.pk, actor=SYSTEM, now=on(WALL_DAY)
    )

    assert shown(dayo) == "walled_garden"
    assert selectors.promise_of(dayo.customer.pk) is None
    assert events("promise_withdrawn") == 1


def test_replaces_an_earlier_promise_and_repeats_harmlessly(dayo):
    bill(dayo.customer)
    first = promise(dayo, 5, at=2)

    second = promise(dayo, 9, at=3, note="salary")
    again = promise(dayo, 9, at=3, note="salary")

    first.refresh_from_db()
    assert first.withdrawn_at is not None
    assert again.pk == second.pk
    assert PromiseToPay.objects.count() == 2
    current = selectors.promise_of(dayo.customer.pk)
    assert current is not None
    assert current.promised_date == TODAY + timedelta(days=9)


def test_refuses_promises_that_mean_nothing(dayo):
    with pytest.raises(errors.NothingOverdue):
        promise(dayo, 5, at=2)
    bill(dayo.customer)
    for days in (1, 2 + 32):
        with pytest.raises(errors.PromiseDateWrong):
            promise(dayo, days, at=2)
    assert not PromiseToPay.objects.exists()
