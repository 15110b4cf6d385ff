"""Starts everything in order, keeps it running, stops it in reverse."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from dotmac.devtools import plan
from dotmac.devtools.context import ROOT, Context
from dotmac.devtools.plan import Entry, Stage
from dotmac.devtools.processes import Child, end_stray, started_at
from dotmac.devtools.reports import PROGRESS_FILE, Report
from dotmac.devtools.servers import START_S, Server
from dotmac.devtools.starting import Starter, Step

TICK_S = 0.1
RESTARTS_MAX = 5
RESTARTS_WINDOW_S = 600
RESTART_DELAY_S = 0.5
CHILDREN_FILE = "children.json"


@dataclass
class Watched:
    """A running child and how often it had to be started again."""

    child: Child
    stage: int
    restarts: list[float] = field(default_factory=list)
    again_at: float = 0.0
    given_up: bool = False

    def may_restart(self, now: float) -> bool:
        """At most RESTARTS_MAX times in a window; later each time."""
        recent = [at for at in self.restarts if now - at < RESTARTS_WINDOW_S]
        self.restarts = recent
        return len(recent) < RESTARTS_MAX


class Supervisor:
    """The children of one start, in the order in which they were started."""

    def __init__(
        self,
        run_folder: Path,
        logs: Path,
        report: Report,
        table: tuple[Entry, ...] = plan.TABLE,
    ) -> None:
        self._run, self._logs, self._report = run_folder, logs, report
        self._table = table
        self._watched: list[Watched] = []
        self._stop_signals = 0
        self._starter = Starter(report, lambda: self.is_stopping)

    @property
    def is_stopping(self) -> bool:
        return self._stop_signals > 0

    def listen(self) -> None:
        """From now on a signal asks for an orderly stop, a second one hurries."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._stop_signals += 1

    def end_strays(self) -> int:
        """End what an earlier start left behind when it was killed."""
        try:
            rows = json.loads((self._run / CHILDREN_FILE).read_text())
        except (OSError, ValueError):
            return 0
        ended = sum(end_stray(row["pid"], row["began"]) for row in reversed(rows))
        (self._run / CHILDREN_FILE).unlink()
        return ended

    def start_server(self, server: Server) -> None:
        """Start PostgreSQL or Valkey and wait for its answer."""
        began = time.monotonic()
        server.prepare()
        child = server.make_child()
        self._launch(child, stage=0)
        step = Step(server.name, server.name, child, START_S, server.answers)
        step.began = began
        self._starter.finish([step])

    def run_stages(self, context: Context, *stages: Stage) -> None:
        """Start what belongs to the stages, then wait until all of it is done."""
        steps = [
            self._start(entry, context)
            for entry in self._table
            if entry.stage in stages and entry.exists() and entry.wanted(context)
        ]
        try:
            self._starter.finish(steps)
        finally:
            for step in steps:
                if step.answers is None:
                    step.child.stop(patience_s=5)

    def _start(self, entry: Entry, context: Context) -> Step:
        progress = self._run / f"progress-{entry.name}.json"
        progress.unlink(missing_ok=True)
        child = Child(
            entry.name,
            entry.words(context),
            env={
                **context.environment(owner=entry.owner, radius=entry.radius),
                PROGRESS_FILE: str(progress),
            },
            log=self._logs / f"{entry.name}.log",
            stop_s=entry.stop_s,
            options={"cwd": str(ROOT)},
        )
        if entry.probe is None:
            child.start()
        else:
            self._launch(child, stage=entry.stage)
        return Step(
            name=entry.name,
            says=entry.says,
            child=child,
            patience_s=entry.start_s,
            answers=_bind(entry.probe, context) if entry.probe else None,
            progress=progress,
        )

    def _launch(self, child: Child, *, stage: int) -> None:
        child.start()
        self._watched.append(Watched(child, stage))
        self._note_children()

    def watch(self) -> bool:
        """Keep everything running until asked to stop; False if a server is lost."""
        while not self.is_stopping:
            now = time.monotonic()
            for watched in self._watched:
                self._keep(watched, now)
                if watched.given_up and watched.stage == 0:
                    return False
            time.sleep(TICK_S)
        return True

    def _keep(self, watched: Watched, now: float) -> None:
        child = watched.child
        if child.is_alive or watched.given_up:
            return
        if watched.again_at:
            if now >= watched.again_at:
                watched.again_at = 0.0
                child.start()
                self._note_children()
            return
        text = f"{child.name} ended with code {child.exit_code}"
        if not watched.may_restart(now):
            watched.given_up = True
            self._trouble(f"{text} once too often and stays down; see {child.log}.")
            return
        watched.restarts.append(now)
        doublings = len(watched.restarts) - 1
        watched.again_at = now + RESTART_DELAY_S * 2.0**doublings
        number = f"{len(watched.restarts)} of {RESTARTS_MAX}"
        self._trouble(f"{text} and is started again ({number}); see {child.log}.")

    def _trouble(self, text: str) -> None:
        self._report.tell("trouble", text=text)

    def stop_all(self) -> None:
        """Stop stage by stage in reverse order; a second signal kills."""
        for stage in sorted({watched.stage for watched in self._watched}, reverse=True):
            stopping = [w.child for w in self._watched if w.stage == stage][::-1]
            # Programs of a stage stop together; the servers one after the other.
            for group in [[child] for child in stopping] if stage == 0 else [stopping]:
                for child in group:
                    child.ask_to_stop()
                for child in group:
                    self._wait_for_end(child)
        self._watched.clear()
        (self._run / CHILDREN_FILE).unlink(missing_ok=True)

    def _wait_for_end(self, child: Child) -> None:
        deadline = time.monotonic() + child.stop_s
        while child.is_alive and time.monotonic() < deadline:
            if self._stop_signals > 1:
                break
            time.sleep(TICK_S / 2)
        if child.is_alive:
            self._trouble(f"{child.name} did not stop and was killed.")
            child.kill()

    def _note_children(self) -> None:
        rows = [
            {"name": w.child.name, "pid": pid, "began": started_at(pid)}
            for w in self._watched
            if (pid := w.child.pid) is not None
        ]
        # Replaced whole: others read it at any moment.
        fresh = self._run / f"{CHILDREN_FILE}.new"
        fresh.write_text(json.dumps(rows))
        fresh.replace(self._run / CHILDREN_FILE)


def _bind(probe: Callable[[Context], bool], context: Context) -> Callable[[], bool]:
    return lambda: probe(context)
