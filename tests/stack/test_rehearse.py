"""tools/rehearse.py on a repository whose two commands only say that they ran."""

import os
import subprocess
import sys

import pytest

from tests.stack.starts import ROOT

pytestmark = pytest.mark.integration
START = """
import os, pathlib, sys
here = pathlib.Path.cwd()
with open({log!r}, "a") as log:
    words = [w for w in sys.argv[1:] if w.startswith("--") and w != "--port"]
    cache = pathlib.Path(os.environ["XDG_CACHE_HOME"])
    ours = [n for n in os.environ if n.startswith(("DATABASE", "DOTMAC", "REDIS"))]
    print("start", *words, cache.exists(), ours, (here / "uncommitted").exists(), file=log)
if "--detach" in sys.argv:
    (here / ".venv").mkdir(exist_ok=True)
    (here / ".venv" / "dotmac-locks.json").touch()
"""
TESTS = """
import pathlib, sys
with open({log!r}, "a") as log:
    print("tests", file=log)
sys.exit({code})
"""


def repository(folder, log, code):
    """Both scripts, committed, and a file that is not."""
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "start.py").write_text(START.format(log=str(log)))
    (folder / "scripts" / "run_tests.py").write_text(
        TESTS.format(log=str(log), code=code)
    )
    for words in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@x.example", "commit", "-qm", "all"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder / "uncommitted").touch()
    return folder


def rehearse(source, *words):
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "rehearse.py", "--source", source, *words],
        env={**os.environ, "DATABASE_URL": "postgresql://x/y"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_clone_is_started_twice_and_tested_without_caches(tmp_path):
    log = tmp_path / "log"
    done = rehearse(repository(tmp_path / "source", log, 0))
    assert done.returncode == 0, done.stdout + done.stderr
    ran = log.read_text().splitlines()
    assert ran == [
        "start --detach False [] False",
        "start --stop False [] False",
        "start --detach False [] False",
        "start --stop False [] False",
        "tests",
    ]
    timed = [line.split(" s  ")[1].strip() for line in done.stdout.splitlines()[-7:]]
    assert timed == [
        "clone", "start from nothing", "of it installation",
        "of it until everything answers", "stop", "second start", "tests",
    ]  # fmt: skip


def test_a_failing_command_is_told_by_the_exit_code(tmp_path):
    log = tmp_path / "log"
    done = rehearse(repository(tmp_path / "source", log, 3))
    assert done.returncode == 1
    assert "Failed with code 3" in done.stderr
    assert "second start" in done.stdout
    log.unlink()
    assert rehearse(tmp_path / "source", "--start-only").returncode == 0
    assert "tests" not in log.read_text()
    assert rehearse(tmp_path / "nowhere").returncode == 1
