"""Three months in the order in which they happened."""

from __future__ import annotations

import functools
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.billing import operations as billing
from dotmac.core.actors import Actor
from dotmac.core.periods import add_months
from dotmac.devtools.demo import customers
from dotmac.devtools.demo.customers import Habit, Member
from dotmac.devtools.demo.network import Ground

MONTHS = 3
JOINED_BEFORE_DAYS = 20
# The first few, so that even the smallest demonstration has each kind.
CAST = (
    Habit.PUNCTUAL, Habit.STOPPED, Habit.PUNCTUAL, Habit.AHEAD, Habit.PUNCTUAL,
    Habit.LATE, Habit.STOPPED, Habit.PUNCTUAL,
)  # fmt: skip
Tell = Callable[[int, int, str], None]
Act = Callable[[datetime], None]


@dataclass
class Story:
    """A queue of what happens when; acting may add what happens later."""

    ground: Ground
    actor: Actor
    zone: ZoneInfo
    until: datetime
    dice: random.Random
    members: list[Member] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._queue: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()
        self._billed: set[int] = set()

    def plan(self, at: datetime, act: Act) -> None:
        """Remember to act then; what lies beyond the present never happens."""
        if at < self.until:
            heapq.heappush(self._queue, (at, next(self._order), act))

    def local(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), tzinfo=self.zone)

    def play(self, tell: Tell) -> None:
        """Everything, oldest first. `tell` gets done, total and words."""
        done = 0
        while self._queue:
            at, _, act = heapq.heappop(self._queue)
            act(at)
            done += 1
            tell(done, done + len(self._queue), f"{at:%d %B}")

    def write(self, count: int, first_month: date) -> None:
        """Plan who joins when, and the monthly and weekly work."""
        today = self.until.date()
        begin = first_month - timedelta(days=JOINED_BEFORE_DAYS)
        span = max((today - begin).days - 2, 1)
        for number in range(1, count + 1):
            # Most were there from the start; some came last week.
            day = begin + timedelta(days=int(span * self.dice.random() ** 2.2))
            habit = CAST[number - 1] if number <= len(CAST) else None
            if habit is not None:
                # Long enough ago to have been billed, reminded and cut off by now.
                day = min(day, first_month - timedelta(days=1))
            at = self.local(day, self.dice.randint(8, 16), self.dice.randint(0, 29))
            wish = customers.draw_wish(number, at, habit, self.dice)
            self.plan(at, functools.partial(self._join, wish))
        for month in range(MONTHS):
            first = add_months(first_month, month)
            self.plan(self.local(first, 1), self._bill)
            for dunned in (17, 22, 27):
                self.plan(self.local(first.replace(day=dunned), 9), self._remind)

    def _join(self, wish: customers.Wish, _: datetime) -> None:
        self.members.append(customers.join(wish, self.ground, self.actor))

    def _bill(self, at: datetime) -> None:
        billing.run_billing(day=at.date(), actor=self.actor, now=at)
        everybody = [member.customer_id for member in self.members]
        billing.allocate_credit(customer_ids=everybody, actor=self.actor, now=at)
        for member in self.members:
            for invoice_id, owed in customers.open_bills(member):
                if invoice_id not in self._billed:
                    self._billed.add(invoice_id)
                    self._plan_payment(member, invoice_id, owed.amount_minor, at)

    def _plan_payment(
        self, member: Member, invoice_id: int, owed_minor: int, at: datetime
    ) -> None:
        days = customers.days_until_paid(member.habit, self.dice)
        if days is None and not self._stops_now(at):
            days = self.dice.randint(2, 10)
        if days is None or owed_minor <= 0:
            return
        paid_on = self.local(at.date() + timedelta(days=days), self.dice.randint(8, 20))
        self.plan(paid_on, lambda then: self._pay(member, invoice_id, then))

    def _stops_now(self, at: datetime) -> bool:
        """Who stops paying does so with the bills of the last month but one."""
        return at.date() >= add_months(self.until.date().replace(day=1), -1)

    def _pay(self, member: Member, invoice_id: int, at: datetime) -> None:
        for open_id, owed in customers.open_bills(member):
            if open_id == invoice_id:
                customers.pay_invoice(
                    member, invoice_id, owed, actor=self.actor, at=at, dice=self.dice
                )

    def _remind(self, at: datetime) -> None:
        billing.run_dunning(day=at.date(), actor=self.actor, now=at)
