"""From the queue to the NASes and back: what `run_coa_sender` and beat's task do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

import structlog
from django.utils import timezone

from apps.network.radius.coa import CoaOrder
from apps.network.radius.flights import IN_FLIGHT_MAX, Answered, CoaFlights

log = structlog.get_logger(__name__)

# A committed change waits half of this on average until it is on its way.
POLL_S = 0.2
CLAIM_MAX = 64


class Claim(Protocol):
    """The operation claim_coa_requests()."""

    def __call__(
        self, *, now: datetime, limit: int, busy: Sequence[int]
    ) -> list[CoaOrder]: ...


class Settle(Protocol):
    """The operation settle_coa_requests()."""

    def __call__(
        self, *, answers: Sequence[Answered], now: datetime
    ) -> dict[int, str]: ...


class CoaSender:
    """Claims due requests, sends them, keeps the answers; any number may run.

    What is claimed and not settled when it dies goes back into the queue by
    `reconcile_coa`.
    """

    def __init__(self, *, claim: Claim, settle: Settle) -> None:
        self._claim_due, self._settle_all = claim, settle
        self._flights = CoaFlights()
        self._answers: list[Answered] = []
        self._look_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._flights.close()

    def step(self, *, claiming: bool = True) -> int:
        """Claim what is due, wait for answers, settle them; at most about POLL_S.

        Returns how many were claimed and settled. When the database fails it
        raises; the answers at hand are settled by the next step.
        """
        claimed = self._claim() if claiming else 0
        wait = self._look_at - time.monotonic() if claiming else POLL_S
        if not self._answers:
            self._answers = self._flights.wait(max(0.01, wait))
        return claimed + self._settle()

    def send_due(self, *, until: float) -> int:
        """Go on until nothing is due and nothing in flight; returns how many went.

        Claims nothing more after `until` (of the monotonic clock).
        """
        sent = 0
        while True:
            claimed = self._claim() if time.monotonic() < until else 0
            sent += claimed
            if not claimed and not len(self._flights) and not self._answers:
                return sent
            self._answers += self._flights.wait(POLL_S)
            self._settle()

    def finish(self) -> None:
        """Wait for what is in flight, which takes seconds, and claim nothing more."""
        while len(self._flights) or self._answers:
            self.step(claiming=False)

    def _claim(self) -> int:
        limit = min(CLAIM_MAX, IN_FLIGHT_MAX - len(self._flights))
        if limit <= 0 or time.monotonic() < self._look_at:
            return 0
        busy = self._flights.full()
        orders = self._claim_due(now=timezone.now(), limit=limit, busy=busy)
        for order in orders:
            self._flights.start(order)
        # A full claim has more behind it: look again at once.
        if len(orders) < limit:
            self._look_at = time.monotonic() + POLL_S
        return len(orders)

    def _settle(self) -> int:
        if not self._answers:
            return 0
        states = self._settle_all(answers=self._answers, now=timezone.now())
        settled, self._answers = self._answers, []
        for order, _ in settled:
            log.info(
                "coa.sent",
                kind=order.kind,
                nas=order.nas_address,
                state=states.get(order.id, "settled before"),
            )
        return len(settled)
