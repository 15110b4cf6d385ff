"""Starts everything in order, keeps it running, stops it in reverse."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from dotmac.devtools import plan, reports
from dotmac.devtools.context import ROOT, Context
from dotmac.devtools.plan import Entry, Stage
from dotmac.devtools.processes import Child, end_stray, started_at
from dotmac.devtools.refusals import Refused
from dotmac.devtools.reports import Report
from dotmac.devtools.servers import START_S, Server

TICK_S = 0.1
RESTARTS_MAX = 5
RESTARTS_WINDOW_S = 600
CHILDREN_FILE = "children.json"


class StopAsked(Exception):
    """Somebody wants it to stop before it has finished starting."""


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

    def __init__(self, run_folder: Path, logs: Path, report: Report) -> None:
        self._run, self._logs, self._report = run_folder, logs, report
        self._watched: list[Watched] = []
        self._stop_signals = 0

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
        with self._step(server.name, server.name) as tick:
            self._in_thread(server.prepare, tick)
            child = server.make_child()
            self._launch(child, stage=0)
            self._await(child, server.answers, START_S, tick)

    def run_stage(self, stage: Stage, context: Context) -> None:
        """Start what belongs to the stage, then wait until all of it answers."""
        entries = [
            entry
            for entry in plan.TABLE
            if entry.stage == stage and entry.exists() and entry.wanted(context)
        ]
        started = {
            entry.name: self._start(entry, context)
            for entry in entries
            if not entry.is_task
        }
        for entry in entries:
            with self._step(entry.name, entry.says) as tick:
                if entry.is_task:
                    self._run_task(entry, context, tick)
                elif entry.probe is not None:
                    answers = _bind(entry.probe, context)
                    self._await(started[entry.name], answers, entry.start_s, tick)

    def _start(self, entry: Entry, context: Context) -> Child:
        child = self._child(entry, context)
        self._launch(child, stage=entry.stage)
        return child

    def _child(self, entry: Entry, context: Context, **more: str) -> Child:
        told = context.environment(owner=entry.owner, radius=entry.radius)
        return Child(
            entry.name,
            entry.words(context),
            env={**told, **more},
            log=self._logs / f"{entry.name}.log",
            stop_s=entry.stop_s,
            options={"cwd": str(ROOT)},
        )

    def _launch(self, child: Child, *, stage: int) -> None:
        child.start()
        self._watched.append(Watched(child, stage))
        self._note_children()

    def _run_task(
        self, entry: Entry, context: Context, tick: Callable[..., None]
    ) -> None:
        """A program that must end well before the start goes on."""
        progress = self._run / f"progress-{entry.name}.json"
        progress.unlink(missing_ok=True)
        more = {reports.PROGRESS_FILE: str(progress)}
        child = self._child(entry, context, **more)
        child.start()
        try:
            deadline = time.monotonic() + entry.start_s
            while child.is_alive:
                if time.monotonic() > deadline:
                    raise Refused(f"{entry.says} took too long; see {child.log}.")
                tick(**reports.read_progress(progress))
        finally:
            child.stop(patience_s=5)
            progress.unlink(missing_ok=True)
        if child.exit_code:
            raise Refused(f"{entry.says} failed; {child.log} ends:\n{child.tail()}")

    def _await(
        self,
        child: Child,
        answers: Callable[[], bool],
        patience_s: float,
        tick: Callable[..., None],
    ) -> None:
        """Until it answers, dies or takes too long."""
        deadline = time.monotonic() + patience_s
        while not self._in_thread(answers, tick):
            if not child.is_alive:
                said = child.tail()
                raise Refused(f"{child.name} ended; {child.log} says:\n{said}")
            if time.monotonic() > deadline:
                raise Refused(
                    f"{child.name} does not answer; {child.log} says:\n{child.tail()}"
                )
            tick()

    def _in_thread(self, work: Callable[[], Any], tick: Callable[..., None]) -> Any:
        """Do what blocks without losing the wish to stop."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            future: Future[Any] = pool.submit(work)
            while not future.done():
                tick()
            return future.result()

    @contextmanager
    def _step(self, name: str, says: str) -> Iterator[Callable[..., None]]:
        began = time.monotonic()
        self._report.tell("begin", name=name, says=says)

        def tick(**facts: Any) -> None:
            if self.is_stopping:
                raise StopAsked
            if facts:
                self._report.tell("progress", name=name, **facts)
            time.sleep(TICK_S / 2)

        try:
            yield tick
        except BaseException:
            self._report.tell("end", name=name, good=False)
            raise
        took = time.monotonic() - began
        self._report.tell("end", name=name, good=True, seconds=took)

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
        watched.again_at = now + 2.0 ** (len(watched.restarts) - 1) / 2
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
        (self._run / CHILDREN_FILE).write_text(json.dumps(rows))


def _bind(probe: Callable[[Context], bool], context: Context) -> Callable[[], bool]:
    return lambda: probe(context)
