"""Stop asking what does not answer, and ask again now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Opens after some failures in a row; then one caller at a time may try.

    While it is open nobody waits for the broken side, so requests do not pile up;
    each `retry_s` seconds one caller is let through, and its success closes it.
    """

    def __init__(
        self,
        *,
        failures_max: int,
        retry_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.retry_s = retry_s
        self._failures_max, self._clock = failures_max, clock
        self._failures = 0
        self._next_try = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """True while callers are turned away."""
        return self._failures >= self._failures_max

    def permits(self) -> bool:
        """May this caller try? While open, one caller each `retry_s` seconds."""
        if not self.is_open:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_try:
                return False
            # Should the trying caller die, the next one comes after the same time.
            self._next_try = now + self.retry_s
            return True

    def succeeded(self) -> None:
        """The other side answered."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def failed(self) -> None:
        """The other side did not answer."""
        with self._lock:
            self._failures += 1
            self._next_try = self._clock() + self.retry_s
