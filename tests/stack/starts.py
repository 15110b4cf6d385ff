"""Runs scripts/start.py as a person would, in the environment of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.environment import EMBEDDED, RUNTIME, Environment

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT_S = 240
_OF_THE_TESTS = (
    "DATABASE_URL", "DATABASE_OWNER_URL", "RADIUS_DATABASE_URL", "REDIS_URL",
    "DOTMAC_DATA", "DJANGO_SETTINGS_MODULE", "ENVIRONMENT",
)  # fmt: skip


# Root becomes nobody special: uid 1000 in a namespace of its own.
AS_NORMAL_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


@dataclass(frozen=True)
class Start:
    """start.py on one data folder; `prefix` says who runs it and where."""

    folder: Path
    prefix: tuple[str, ...] = ()

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run to the end and keep what it said."""
        return subprocess.run(
            self.command(*words),
            env=environment() | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def command(self, *words: str) -> list[str]:
        script = str(ROOT / "scripts" / "start.py")
        return [
            *self.prefix,
            sys.executable,
            script,
            "--data",
            str(self.folder),
            *words,
        ]

    def up(self, *words: str) -> dict[str, Any]:
        """Start without a demonstration; what ready.json says."""
        done = self.run("--detach", "--port", "0", "--demo", "0", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.ready()

    def ready(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "ready.json").read_text()))

    def stop(self) -> None:
        done = self.run("--stop")
        assert done.returncode == 0, done.stdout + done.stderr

    def children(self) -> dict[str, int]:
        """The running programs and their process ids."""
        rows = json.loads((self.folder / "run" / "children.json").read_text())
        return {row["name"]: row["pid"] for row in rows}

    @property
    def supervisor(self) -> int:
        return int((self.folder / "run" / "lock").read_text())


def environment() -> dict[str, str]:
    """The caller's, without what the test run set for itself."""
    home = Environment(Path(sys.prefix))
    if not home.is_complete([RUNTIME, EMBEDDED]):
        # The environment that runs these tests has what the locks name.
        home.stamp([RUNTIME, EMBEDDED])
    kept = {k: v for k, v in os.environ.items() if k not in _OF_THE_TESTS}
    return {**kept, "DOTMAC_VENV": sys.prefix}
