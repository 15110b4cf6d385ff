"""Steps of a start: what runs at the same time, and how each shows it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotmac.devtools.processes import Child
from dotmac.devtools.refusals import Refused
from dotmac.devtools.reports import Report, read_progress

TICK_S = 0.05
_SHOWN_LINES = 3


class StopAsked(Exception):
    """Somebody wants it to stop before it has finished starting."""


@dataclass
class Step:
    """One program on its way: a task must end well, a server must answer."""

    name: str
    says: str
    child: Child
    patience_s: float
    answers: Callable[[], bool] | None = None
    progress: Path | None = None
    began: float = field(default_factory=time.monotonic)
    _asked: Future[bool] | None = None

    def is_done(self, pool: ThreadPoolExecutor) -> bool:
        """Look again; raises Refused when it failed or takes too long."""
        if self.answers is None:
            done = self._has_ended()
        else:
            done = self._has_answered(pool, self.answers)
        if not done and time.monotonic() - self.began > self.patience_s:
            raise Refused(f"{self.says} takes too long; {self._where()}")
        return done

    def _has_ended(self) -> bool:
        if self.child.is_alive:
            return False
        if self.child.exit_code:
            raise Refused(f"{self.says} failed; {self._where()}")
        return True

    def _has_answered(
        self, pool: ThreadPoolExecutor, answers: Callable[[], bool]
    ) -> bool:
        if self._asked is not None and self._asked.done():
            asked, self._asked = self._asked, None
            if asked.result():
                return True
        if not self.child.is_alive:
            raise Refused(f"{self.says} ended at once; {self._where()}")
        if self._asked is None:
            self._asked = pool.submit(answers)
        return False

    def _where(self) -> str:
        return f"{self.child.log} ends:\n{self.child.tail(_SHOWN_LINES)}"


class Starter:
    """Waits for steps, shows them, and gives up when a stop is asked."""

    def __init__(self, report: Report, is_stopping: Callable[[], bool]) -> None:
        self._report, self._is_stopping = report, is_stopping

    def finish(self, steps: list[Step]) -> None:
        """Until all are done. What fails first ends the waiting for the others."""
        for step in steps:
            self._report.tell("begin", name=step.name, says=step.says)
        pending = list(steps)
        with ThreadPoolExecutor(max_workers=max(1, len(steps))) as pool:
            try:
                while pending:
                    pending = [step for step in pending if not self._look(step, pool)]
                    time.sleep(TICK_S)
            except BaseException:
                for step in pending:
                    self._report.tell("end", name=step.name, good=False)
                raise

    def _look(self, step: Step, pool: ThreadPoolExecutor) -> bool:
        if self._is_stopping():
            raise StopAsked
        if step.is_done(pool):
            self._end(step.name, step.began)
            return True
        if step.progress and (facts := read_progress(step.progress)):
            self._report.tell("progress", name=step.name, **facts)
        return False

    def _end(self, name: str, began: float) -> None:
        facts: dict[str, Any] = {"good": True, "seconds": time.monotonic() - began}
        self._report.tell("end", name=name, **facts)
