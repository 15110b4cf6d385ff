"""While Redis is away: each process counts for itself, with its share."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from dotmac.gateway.limits.counter import Decision, Standing
from dotmac.gateway.limits.policies import Rule, Strategy

KEYS_MAX = 10_000


class LocalCounter:
    """Token buckets and places in memory; the oldest of many keys are forgotten.

    `share` is the number of processes: each grants limit / share, at least one.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._busy: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(
        self, rules: Sequence[Rule], keys: Sequence[str], *, share: int
    ) -> Decision:
        """Take one from every rule, or from none."""
        with self._lock:
            now = self._clock()
            pairs = list(zip(rules, keys, strict=True))
            found = [self._standing(rule, key, share, now) for rule, key in pairs]
            if not any(standing.refuses for standing in found):
                for rule, key in pairs:
                    self._take(rule, key, share, now)
        return Decision(tuple(found))

    def end_leases(self, keys: Sequence[str]) -> None:
        """Give places back."""
        with self._lock:
            for key in keys:
                left = self._busy.pop(key, 0) - 1
                if left > 0:
                    self._busy[key] = left

    def _standing(self, rule: Rule, key: str, share: int, now: float) -> Standing:
        limit = max(1, rule.limit // share)
        if rule.strategy == Strategy.BUSY:
            left = limit - self._busy.get(key, 0)
            return Standing(rule, refuses=left < 1, left=max(0, left - 1), rest_s=1.0)
        step = rule.window_s / limit
        missing = max(0.0, self._full_at.get(key, now) - now)
        tokens = int((rule.window_s - missing) / step + 1e-9)
        rest = max(0.0, missing - (limit - tokens - 1) * step)
        return Standing(
            rule, refuses=tokens < 1, left=max(0, tokens - 1), rest_s=rest or step
        )

    def _take(self, rule: Rule, key: str, share: int, now: float) -> None:
        if rule.strategy == Strategy.BUSY:
            self._busy[key] = self._busy.get(key, 0) + 1
            return
        step = rule.window_s / max(1, rule.limit // share)
        self._full_at[key] = max(self._full_at.get(key, now), now) + step
        self._full_at.move_to_end(key)
        while len(self._full_at) > KEYS_MAX:
            self._full_at.popitem(last=False)
