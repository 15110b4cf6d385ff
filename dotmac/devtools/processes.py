"""One child process: its own log, its own session, an orderly end."""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG_BYTES_MAX = 20_000_000
_POLL_S = 0.05


class Child:
    """A program that we started; stopping it twice is harmless."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        stop_signal: int = signal.SIGTERM,
        stop_s: float = 15,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self._env = dict(env)
        self._stop_signal, self.stop_s = stop_signal, stop_s
        self._options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before it was started."""
        return self._process.poll() if self._process else None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start in a session of its own, so that Ctrl-C reaches only us."""
        assert not self.is_alive
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".1.log"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # nosec B603
                self.command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **{"cwd": "/", **self._options},
            )

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(self._stop_signal)

    def stop(self, *, patience_s: float | None = None) -> int | None:
        """Ask, wait, and kill the whole session when it does not go."""
        if self._process is None:
            return None
        self.ask_to_stop()
        try:
            self._process.wait(self.stop_s if patience_s is None else patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL to the process and everything in its session."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def tail(self, lines: int = 8) -> str:
        """The end of the log, for the person who must find out why it died."""
        return tail(self.log, lines)


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log file, whatever is in it."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8_000))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def started_at(pid: int) -> str:
    """When the kernel started this process: tells it from a later one of that id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, began = fields[0], fields[19]
    return "" if state == "Z" else began


def end_stray(pid: int, began: str, *, patience_s: float = 10) -> bool:
    """End a process that an earlier, killed start left behind; True if there was one.

    The start time must agree, so that a process that got the id later is safe.
    """
    if not began or started_at(pid) != began:
        return False
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience_s / 2
        while time.monotonic() < deadline:
            if started_at(pid) != began:
                return True
            time.sleep(_POLL_S)
    return True
