"""What happens during a start, told to whoever shows it.

Steps are shown by the process at the keyboard. In a detached start the work is
done by another process, which writes the same reports into a pipe.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

PROGRESS_FILE = "DOTMAC_PROGRESS_FILE"
_EVERY_S = 0.2
_last_told = 0.0


class Report(Protocol):
    """Takes what happens: kinds begin, progress, end, ready, trouble, failed."""

    def tell(self, kind: str, **facts: Any) -> None:
        """Something happened."""


class PipeReport:
    """Writes reports as lines; a reader that went away is no trouble."""

    def __init__(self, pipe: IO[str]) -> None:
        self._pipe: IO[str] | None = pipe

    def tell(self, kind: str, **facts: Any) -> None:
        if "text" in facts and kind != "progress":
            now = datetime.now(UTC).isoformat(timespec="seconds")
            print(now, facts["text"], flush=True)  # the supervisor's log
        if self._pipe is None:
            return
        try:
            self._pipe.write(json.dumps({"kind": kind, **facts}) + "\n")
            self._pipe.flush()
        except OSError:
            self._pipe = None

    def close(self) -> None:
        """Let the reader go; what happens later is in the logs."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def tell_progress(*, done: int, total: int, text: str = "") -> None:
    """For the programs of a start: how far a long step is (cheap to call often)."""
    global _last_told  # noqa: PLW0603 - one clock for the process
    target = os.environ.get(PROGRESS_FILE)
    now = time.monotonic()
    if not target or (done < total and now - _last_told < _EVERY_S):
        return
    _last_told = now
    part = Path(f"{target}.part")
    part.write_text(json.dumps({"done": done, "total": total, "text": text}))
    part.replace(target)


def read_progress(path: Path) -> dict[str, Any]:
    """The last progress told, or nothing."""
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
