"""Categories of tests, and what a run says before pytest's closing line."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.distribution import folder_of, is_long
from tools.coverage_floors import shortfalls

ROOT = Path(__file__).resolve().parent.parent
LONG_TIER = ("performance", "faults", "fuzz")
CATEGORIES = ("unit", "integration", "e2e", "security", *LONG_TIER)
BY_FOLDER = {"journeys": "e2e", **{name: name for name in LONG_TIER}}
SERVER_FIXTURES = {"db", "own_database", "transactional_db"}
# Where .ci/run puts what the gates said, once all are done. Taken out of the
# environment, so that no pytest which a test starts takes the file for its own.
GATES_SAID = os.environ.pop("DOTMAC_GATES_SAID", "")
GATES_S = 300
_short: list[str] = []


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Give each test without a category the one that its folder or needs imply.

    Once the others have shuffled and chosen, the long ones are put first.
    """
    for item in items:
        if not any(item.get_closest_marker(name) for name in CATEGORIES):
            item.add_marker(_category(item))
    yield
    items.sort(key=lambda item: not is_long(item))


def _category(item: pytest.Item) -> str:
    folder = folder_of(item)
    if folder in BY_FOLDER:
        return BY_FOLDER[folder]
    needs = set(getattr(item, "fixturenames", ()))
    on_servers = needs & SERVER_FIXTURES or item.get_closest_marker("django_db")
    return "integration" if on_servers else "unit"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hold the coverage floors of a whole run."""
    report = ROOT / ".coverage.json"
    is_worker = hasattr(session.config, "workerinput")
    if is_worker or not os.environ.get("DOTMAC_COVERAGE_FLOORS"):
        return
    _short[:] = shortfalls(json.loads(report.read_text()))
    if _short and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The gates beside the run, floors that were not held, the long tier left out."""
    if GATES_SAID:
        terminalreporter.section("gates")
        terminalreporter.write_line(gates_said(Path(GATES_SAID)))
    if _short:
        terminalreporter.section("coverage floors not held", red=True)
        for sentence in _short:
            terminalreporter.write_line(sentence)
    chosen = str(config.getoption("markexpr"))
    for name in LONG_TIER:
        files = list((ROOT / "tests" / name).glob("test_*.py"))
        if f"not {name}" in chosen and files:
            terminalreporter.write_line(
                f"Left out (long tier): {name}, {len(files)} files; run it with "
                f"python3 scripts/run_tests.py --category {name}"
            )


def gates_said(said: Path, patience_s: float = GATES_S) -> str:
    """What the gates of .ci/run said; waits for those that are not done.

    Takes the file away, which tells .ci/run that it was shown.
    """
    until = time.monotonic() + patience_s
    while not said.exists():
        if time.monotonic() > until:
            return "The gates are not done: what they say comes after the tests."
        time.sleep(0.1)
    words = said.read_text().rstrip()
    said.unlink()
    return words
