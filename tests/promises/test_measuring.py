"""Stories run untraced, and nothing but stories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import measuring

ROOT = Path(__file__).resolve().parents[2]
TALE = """def before():
    return 1


def within():
    return 2


def after():
    return 3
"""
RUN = """
import json, os, subprocess, sys
import coverage
measured = coverage.Coverage(data_file=None, config_file=False, include=["*/tale.py"])
os.environ["COVERAGE_PROCESS_CONFIG"] = "handed on"
measured.start()
import tale
from tests.measuring import unmeasured
tale.before()
with unmeasured():
    tale.within()
    seen = os.environ.get("COVERAGE_PROCESS_CONFIG")
tale.after()
measured.stop()
lines = sorted(measured.get_data().lines(tale.__file__))
print(json.dumps([lines, seen, os.environ["COVERAGE_PROCESS_CONFIG"]]))
"""


def test_a_story_is_not_traced_and_what_follows_is(tmp_path):
    (tmp_path / "tale.py").write_text(TALE)
    ran = subprocess.run(
        [sys.executable, "-c", RUN],
        check=True,
        capture_output=True,
        text=True,
        env={
            **{k: v for k, v in os.environ.items() if k != measuring.HANDED_ON},
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
        },
    )
    lines, seen, restored = json.loads(ran.stdout)
    assert lines == [1, 2, 5, 9, 10], "the body of within() is line 6"
    assert (seen, restored) == (None, "handed on")


@pytest.mark.parametrize(
    ("path", "fixtures", "story"),
    [
        ("tests/stack/test_start.py", (), True),
        ("tests/promises/test_canaries.py", ("db",), True),
        ("tests/portal/test_pages_in_chromium.py", ("chromium",), True),
        ("tests/billing/test_bill_runs.py", ("own_database",), False),
        ("tests/races/test_bill_run_survives.py", ("own_database",), False),
        ("tests/promises/test_audit.py", (), False),
    ],
)
def test_which_tests_are_stories(path, fixtures, story):
    item = SimpleNamespace(path=ROOT / path, fixturenames=fixtures)
    assert measuring.is_story(item) is story  # type: ignore[arg-type]
