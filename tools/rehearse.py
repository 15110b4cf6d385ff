"""A fresh clone, as a newcomer has it: the README's commands, timed. Exit code 1 if one fails.

    python3 tools/rehearse.py [--source .] [--port 8000] [--start-only] [--keep]

Clones what is committed into an empty folder, gives pip and uv empty caches and
nothing of this environment's settings, then runs `scripts/start.py --detach`, stops
it, starts it again, and runs `scripts/run_tests.py`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess  # nosec B404
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = Path(".venv", "dotmac-locks.json")
# After installation, on two cores, with 300 customers (issue 2, section 6).
READY_S_MAX = 120
AFTER = "  of it until everything answers"
_OURS = re.compile(
    r"^(DATABASE|REDIS|RADIUS|DOTMAC|DJANGO|PAYSTACK|COV|VIRTUAL_ENV|PYTHONPATH|"
    r"UV_CACHE_DIR|PIP_CACHE_DIR)"
)


@dataclass
class Rehearsal:
    """One clone and how long each of its commands took."""

    folder: Path
    took: list[tuple[str, float]] = field(default_factory=list)

    @property
    def clone(self) -> Path:
        return self.folder / "dotmac"

    def run(self, name: str, *words: str) -> float:
        """Run a command in the clone; raises CalledProcessError when it fails."""
        print(f"\n$ {' '.join(words)}", flush=True)
        began = time.time()
        subprocess.run(  # nosec B603
            words, cwd=self.clone, env=self.environment(), check=True
        )
        self.took.append((name, time.time() - began))
        return began

    def environment(self) -> dict[str, str]:
        """The caller's, without caches and without what speaks to DotMac."""
        kept = {k: v for k, v in os.environ.items() if not _OURS.match(k)}
        return {**kept, "XDG_CACHE_HOME": str(self.folder / "cache")}


def main(arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="dotmac-rehearsal-"))
    rehearsal = Rehearsal(folder)
    rehearsal.clone.mkdir()
    try:
        _play(rehearsal, options)
    except subprocess.CalledProcessError as error:
        print(f"\nFailed with code {error.returncode}: {error.cmd}", file=sys.stderr)
        return 1
    finally:
        _report(rehearsal)
        if options.keep:
            print(f"The clone is kept: {rehearsal.clone}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    late = [name for name, seconds in rehearsal.took if _is_late(name, seconds)]
    for name in late:
        print(f"{name}: more than {READY_S_MAX} s.", file=sys.stderr)
    return 1 if late else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default=str(ROOT), help="what is cloned")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--start-only", action="store_true", help="leave out the tests")
    parser.add_argument("--keep", action="store_true", help="do not delete the clone")
    return parser


def _play(rehearsal: Rehearsal, options: argparse.Namespace) -> None:
    rehearsal.run("clone", "git", "clone", "--quiet", "--no-local", options.source, ".")
    start = ("python3", "scripts/start.py", "--port", options.port)
    try:
        began = rehearsal.run("start from nothing", *start, "--detach")
        installed = (rehearsal.clone / STAMP).stat().st_mtime - began
        total = rehearsal.took[-1][1]
        rehearsal.took += [
            ("  of it installation", installed), (AFTER, total - installed),
        ]  # fmt: skip
        rehearsal.run("stop", *start, "--stop")
        rehearsal.run("second start", *start, "--detach")
    finally:
        subprocess.run(  # nosec B603
            [*start, "--stop"],
            cwd=rehearsal.clone, env=rehearsal.environment(), check=False,
        )  # fmt: skip
    if not options.start_only:
        rehearsal.run("tests", "python3", "scripts/run_tests.py")


def _is_late(name: str, seconds: float) -> bool:
    return name == AFTER and seconds > READY_S_MAX


def _report(rehearsal: Rehearsal) -> None:
    print()
    for name, seconds in rehearsal.took:
        print(f"{seconds:8.1f} s  {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
