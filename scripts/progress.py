"""Progress lines for the time before the environment exists; standard library only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_QUIET_S = 10
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Step:
    """One line of progress: moving on a terminal, now and then elsewhere."""

    def __init__(self, text: str, out: TextIO) -> None:
        self._text, self._out = text, out
        self._began = self._said = time.monotonic()
        self._note = ""
        self._lively = out.isatty()
        self._frame = 0

    def note(self, text: str) -> None:
        """What to add to the line when the step ends."""
        self._note = text

    def tick(self) -> None:
        """Show that something still happens."""
        now = time.monotonic()
        if self._lively:
            self._frame = (self._frame + 1) % len(_FRAMES)
            seconds = f"{now - self._began:.0f} s"
            self._write(f"\r  {_FRAMES[self._frame]} {self._text} … {seconds}")
        elif now - self._said > _QUIET_S:
            self._said = now
            self._write(f"    {self._text} … {now - self._began:.0f} s\n")

    def end(self, *, good: bool) -> None:
        mark = ("✓" if not self._note else "-") if good else "✗"
        seconds = f"{time.monotonic() - self._began:.1f} s"
        note = f": {self._note}" if self._note else ""
        start = "\r\x1b[2K" if self._lively else ""
        self._write(f"{start}  {mark} {self._text} ({seconds}){note}\n")

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "ascii"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()


class Steps:
    """Where progress is written; one step at a time."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        step = Step(text, self._out)
        step.tick()
        try:
            yield step
        except BaseException:
            step.end(good=False)
            raise
        step.end(good=True)
