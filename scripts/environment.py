"""Makes the Python environment (.venv) from the hashed locks; standard library only.

start.py and run_tests.py share it. A stamp in the environment names the locks
it was made from, so a second start installs nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scripts import machine
from scripts.machine import Refused
from scripts.progress import Steps

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP = "requirements-bootstrap.txt"
RUNTIME = "requirements.txt"
EMBEDDED = "requirements-embedded.txt"
DEVELOPMENT = "requirements-dev.txt"
STAMP = "dotmac-locks.json"
SPACE_MIN = 1_000_000_000
_LOG_TAIL = 20_000


class Environment:
    """One virtual environment and what is installed in it."""

    def __init__(self, path: Path | None = None, root: Path = ROOT) -> None:
        self.path = path or Path(os.environ.get("DOTMAC_VENV") or root / ".venv")
        self.root = root

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def ensure(self, locks: list[str], steps: Steps) -> bool:
        """Install what the locks name and say whether anything had to be done."""
        if self.is_complete(locks):
            return False
        try:
            self._install_alone(locks, steps)
        except OSError as error:
            raise Refused(machine.explain_os_error(error, self.path)) from error
        return True

    def is_complete(self, locks: list[str]) -> bool:
        """True when the stamp names exactly these locks and Python is still there."""
        known = self._stamped()
        return self.python.exists() and all(
            known.get(lock) == self._digest(lock) for lock in locks
        )

    def stamp(self, locks: list[str]) -> None:
        """Write down that the environment holds what these locks name."""
        known = {**self._stamped(), **{lock: self._digest(lock) for lock in locks}}
        part = self.path / (STAMP + ".part")
        part.write_text(json.dumps(known, indent=1))
        part.replace(self.path / STAMP)

    def _stamped(self) -> dict[str, str]:
        try:
            return dict(json.loads((self.path / STAMP).read_text()))
        except (OSError, ValueError):
            return {}

    def _digest(self, lock: str) -> str:
        return hashlib.sha256((self.root / lock).read_bytes()).hexdigest()

    def _install_alone(self, locks: list[str], steps: Steps) -> None:
        """Two starts at the same time must not write into one environment."""
        home = self.path.parent
        if not os.access(home, os.W_OK):
            raise Refused(
                f"{home} may not be written by this user: run as its owner, or set "
                "DOTMAC_VENV to a folder for the Python environment."
            )
        handle = os.open(home, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not self.is_complete(locks):
                self._install(locks, steps)
        finally:
            os.close(handle)

    def _install(self, locks: list[str], steps: Steps) -> None:
        if not self._works():
            self._refuse_a_full_disk()
            self._create(steps)
        count = len(set().union(*(_pins(self.root / lock) for lock in locks)))
        files = [part for lock in locks for part in ("-r", str(self.root / lock))]
        what = f"Installing {count} packages"
        if not self._fetch_installer(steps) or not self._run_uv(files, what, steps):
            self._run_pip(files, what + " with pip", steps)
        self.stamp(locks)

    def _works(self) -> bool:
        """False for a missing or half-made environment, or one of an old Python."""
        if not self.python.exists():
            return False
        check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        command = [str(self.python), "-c", check]
        done = subprocess.run(command, capture_output=True, check=False)  # nosec B603
        return done.returncode == 0

    def _refuse_a_full_disk(self) -> None:
        free = shutil.disk_usage(self.path.parent).free
        if free < SPACE_MIN:
            raise Refused(
                f"The disk that holds {self.path.parent} has {free // 10**6} MB free: "
                f"make room for {SPACE_MIN // 10**6} MB and start again."
            )

    def _create(self, steps: Steps) -> None:
        made_by_venv = (self.path / "pyvenv.cfg").exists()
        if self.path.exists() and not made_by_venv and any(self.path.iterdir()):
            raise Refused(
                f"{self.path} is no Python environment: move it away, or set "
                "DOTMAC_VENV to another folder."
            )
        with steps.step(f"Making {self.path.name}") as step:
            command = [sys.executable, "-m", "venv", "--clear", str(self.path)]
            done = _run(command, step.tick)
        if done.code:
            raise Refused(machine.explain_venv_failure(done.output, self.path))

    def _fetch_installer(self, steps: Steps) -> bool:
        """uv installs three to four times faster; without it plain pip does."""
        if (self.path / "bin" / "uv").exists():
            return True
        with steps.step("Fetching the installer") as step:
            done = self._pip(["-r", str(self.root / BOOTSTRAP)], step.tick)
            if done.code:
                step.note("not to be had, plain pip will do")
        return done.code == 0

    def _run_uv(self, files: list[str], what: str, steps: Steps) -> bool:
        uv = [str(self.path / "bin" / "uv"), "pip", "install", "--no-progress"]
        options = ["--python", str(self.python), "--require-hashes", "--no-build"]
        with steps.step(what) as step:
            done = _run([*uv, *options, *files], step.tick, env=self._uv_settings())
            if done.code:
                step.note("uv could not, trying plain pip")
        if done.code and "No space left" in done.output:
            raise Refused(machine.explain_install_failure(done.output, self.path))
        return done.code == 0

    def _uv_settings(self) -> dict[str, str]:
        """uv does not read pip's configuration: hand it the index in use there."""
        settings = dict(os.environ)
        command = [str(self.python), "-m", "pip", "config", "get", "global.index-url"]
        found = subprocess.run(  # nosec B603
            command, capture_output=True, text=True, check=False
        )
        index = os.environ.get("PIP_INDEX_URL") or found.stdout.strip()
        if index and "UV_DEFAULT_INDEX" not in settings:
            settings["UV_DEFAULT_INDEX"] = index
        return settings

    def _run_pip(self, files: list[str], what: str, steps: Steps) -> None:
        with steps.step(what) as step:
            done = self._pip(files, step.tick)
            if done.code:
                raise Refused(machine.explain_install_failure(done.output, self.path))

    def _pip(self, files: list[str], tick: Callable[[], None]) -> Finished:
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        options = ["--no-compile", "--require-hashes", "--only-binary", ":all:"]
        return _run([*pip, *options, *files], tick)


@dataclass(frozen=True)
class Finished:
    """How a program ended and the end of what it said."""

    code: int
    output: str


def _run(
    command: list[str], tick: Callable[[], None], env: dict[str, str] | None = None
) -> Finished:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # nosec B603
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env
        )
        try:
            while process.poll() is None:
                tick()
                _wait(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return Finished(process.returncode, _tail(log))


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        return


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LOG_TAIL))
    return log.read().decode(errors="replace")


def _pins(lock: Path) -> set[str]:
    return set(re.findall(r"(?m)^([\w.-]+)(?:\[.*?\])?==", lock.read_text()))
