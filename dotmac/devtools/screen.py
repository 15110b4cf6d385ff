"""Shows a start to a person: moving lines on a terminal, plain ones elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from dotmac.devtools import credentials
from dotmac.devtools.context import ROOT

_QUIET_S = 10.0


class Screen:
    """A report for the person at the keyboard."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._steps: dict[str, tuple[TaskID | None, str, float]] = {}
        self._said = 0.0
        self.failure = ""
        self.facts: dict[str, Any] = {}

    def tell(self, kind: str, **facts: Any) -> None:
        """Show one report."""
        getattr(self, f"_on_{kind}")(**facts)

    def close(self) -> None:
        """End what moves; harmless when nothing does."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _on_begin(self, name: str, says: str) -> None:
        self._said = time.monotonic()
        task = self._bars().add_task(says, total=None) if self._moves else None
        self._steps[name] = (task, says, time.monotonic())

    def _on_progress(self, name: str, done: int, total: int, text: str = "") -> None:
        task, says, began = self._steps[name]
        if task is not None:
            what = f"{says}: {text}" if text else says
            self._bars().update(task, completed=done, total=total, description=what)
        elif time.monotonic() - self._said > _QUIET_S:
            self._said = time.monotonic()
            took = f"{time.monotonic() - began:.0f} s"
            self._console.print(f"    {says} … {text} {done} of {total} ({took})")

    def _on_end(self, name: str, *, good: bool, seconds: float = 0) -> None:
        task, says, _ = self._steps.pop(name)
        if task is not None:
            self._bars().remove_task(task)
        if good:
            self._console.print(f"  [green]✓[/green] {says} ({seconds:.1f} s)")
        else:
            self._console.print(f"  [red]✗[/red] {says}")

    def _on_trouble(self, text: str) -> None:
        self._console.print(text, style="yellow", markup=False)

    def _on_failed(self, text: str) -> None:
        self.close()
        self.failure = text

    def _on_already(self, facts: dict[str, Any], folder: str) -> None:
        self.close()
        self._console.print("DotMac runs already.")
        self.summary(facts, Path(folder))

    def _on_ready(self, facts: dict[str, Any], folder: str) -> None:
        self.close()
        self.facts = facts
        self._console.print()
        self._console.print(f"[bold green]DotMac {facts['version']} runs.[/bold green]")
        self.summary(facts, Path(folder))

    def summary(self, facts: dict[str, Any], folder: Path) -> None:
        """Where everything is."""
        if not facts:
            self._console.print("  It is still starting.")
            return
        radius = facts["radius"]
        server = "FreeRADIUS" if radius["server"] == "freeradius" else "built in"
        ports = f"{radius['auth_port']} and {radius['acct_port']}"
        rows = [
            ("Console", facts["console_url"]),
            ("Portal", facts["portal_url"]),
            ("API", f"{facts['api_url']}, documents at {facts['docs_url']}"),
            ("RADIUS", f"{radius['host']}, UDP ports {ports} ({server})"),
            ("Logs", str(folder / "logs")),
        ]
        if credentials.read(folder)["staff"]:
            rows.insert(4, ("Sign-ins", str(folder / credentials.NAME)))
            rows.insert(5, ("", f"with codes: {_manage(folder)} show_sign_ins"))
        else:
            invite = f"{_manage(folder)} invite_staff NAME"
            rows.insert(4, ("Sign-ins", f"the first one: {invite}"))
        for name, value in rows:
            self._console.print(f"  [bold]{name:<9}[/bold] {value}", soft_wrap=True)

    @property
    def _moves(self) -> bool:
        return self._console.is_terminal

    def _bars(self) -> Progress:
        if self._progress is None:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.start()
        return self._progress


def _manage(folder: Path) -> str:
    """How manage.py is called for the installation in this folder."""
    named = "" if folder == ROOT / ".dotmac" else f"DOTMAC_DATA={folder} "
    return f"{named}python3 manage.py"
