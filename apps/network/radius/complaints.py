"""A line in the log for packets that get no answer: one a source and kind, now and then."""

from __future__ import annotations

import threading
import time

import structlog

EVERY_S = 60.0
SOURCES_MAX = 10_000

log = structlog.get_logger(__name__)


class Complaints:
    """Says once a minute what a source does wrong, and how often since it last said so.

    A flood of bad packets costs a look into a dictionary each, never a line each, and
    the dictionary is bounded: a flood of made-up sources begins it anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def say(self, kind: str, source: str) -> None:
        """Safe from any thread."""
        now = time.monotonic()
        with self._lock:
            said, unsaid = self._said.get((kind, source), (None, 0))
            if said is not None and now - said < EVERY_S:
                self._said[kind, source] = (said, unsaid + 1)
                return
            if len(self._said) >= SOURCES_MAX:
                self._said.clear()
            self._said[kind, source] = (now, 0)
        log.warning("radius.dropped", kind=kind, address=source, times=unsaid + 1)
