"""A gap in rules or operations, or below 90 percent in all, makes a whole run red."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests import reporting
from tools import coverage_floors

pytestmark = pytest.mark.unit
OK = pytest.ExitCode.OK
WHOLE: dict[str, list[Any]] = {"missing_lines": [], "missing_branches": []}
GAP: dict[str, list[Any]] = {"missing_lines": [7, 9], "missing_branches": [[3, 5]]}


def report(percent=95.0, **files):
    names = {name.replace("__", "/") + ".py": facts for name, facts in files.items()}
    return {"files": names, "totals": {"percent_covered": percent}}


@pytest.mark.parametrize(
    ("_case", "found", "sentences"),
    [
        ("whole", report(apps__billing__rules__rating=WHOLE), []),
        ("a gap elsewhere", report(apps__billing__tasks=GAP), []),
        (
            "a gap in rules",
            report(apps__billing__rules__rating=GAP),
            ["apps/billing/rules/rating.py: lines 7, 9; branches 3→5"],
        ),
        (
            "a branch of an operation",
            report(apps__ops__operations__jobs={**WHOLE, "missing_branches": [[3, 5]]}),
            ["apps/ops/operations/jobs.py: branches 3→5"],
        ),
        (
            "operations in one file",
            report(apps__ops__operations=GAP),
            ["apps/ops/operations.py: lines 7, 9; branches 3→5"],
        ),
        (
            "too little in all",
            report(89.9),
            ["All together: 89.9 %, at least 90 wanted"],
        ),
    ],
)
def test_each_floor_has_its_sentence(_case, found, sentences):
    assert coverage_floors.shortfalls(found) == sentences


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """ran(facts, floors, status) is how a run with that coverage ends."""

    def finish(facts, floors, status):
        monkeypatch.setenv("DOTMAC_COVERAGE_FLOORS", floors)
        found = report(apps__ops__operations__jobs=facts)
        (tmp_path / ".coverage.json").write_text(json.dumps(found))
        session: Any = SimpleNamespace(config=SimpleNamespace(), exitstatus=status)
        reporting.pytest_sessionfinish(session, status)
        return session.exitstatus

    monkeypatch.setattr(reporting, "ROOT", tmp_path)
    monkeypatch.setattr(reporting, "_short", [])
    return finish


@pytest.mark.parametrize(("percent", "code"), [(95.0, 0), (80.0, 1)])
def test_by_hand_it_ends_with_1(tmp_path, capsys, percent, code):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(report(percent)))
    assert coverage_floors.main(str(path)) == code
    assert bool(capsys.readouterr().out) is bool(code)


@pytest.mark.parametrize(
    ("facts", "floors", "before", "after"),
    [
        (GAP, "1", OK, pytest.ExitCode.TESTS_FAILED),
        (WHOLE, "1", OK, OK),
        (GAP, "", OK, OK),
        (GAP, "1", pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERRUPTED),
    ],
    ids=["a gap", "none", "part of the tests", "broken off"],
)
def test_a_gap_makes_the_run_red(ran, facts, floors, before, after):
    assert ran(facts, floors, before) == after
