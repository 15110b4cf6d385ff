"""Throw-away copies of the tree, and what the tests say in them."""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
import sys
import tempfile
import time
import xml.etree.ElementTree as ET  # nosec B405 - of our own pytest
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tools.faults.guard import CannotPlant, Guard

RUN_MAX_S = 600
SAID_LINES = 15
# What an edit that broke the program raises; a missing guard does not.
_BROKEN = (
    "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError",
    "NameError", "UnboundLocalError", "AttributeError", "TypeError",
)  # fmt: skip
# The run above this one must not reach into it.
_NOT_HANDED_ON = ("PYTEST_", "COV_", "COVERAGE_")

# The environment of a run on the guard's faulty database; the whole one for None.
Databases = Callable[[Guard | None], AbstractContextManager[Mapping[str, str]]]


class Verdict(StrEnum):
    """What came of one guard; only `caught` is good."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    # The tests said nothing about the guard: they did not run, or broke.
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A guard's verdict, in how many seconds, and the words behind it."""

    guard: Guard
    verdict: Verdict
    seconds: float
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What pytest found: by full name, an empty text or the failure's first line."""

    code: int
    results: Mapping[str, str]
    errors: Sequence[str]
    said: str

    def of(self, test: str) -> list[str]:
        """The results of a node id, all cases of it when it names no case."""
        wanted = _full_name(test)
        return [
            result
            for name, result in self.results.items()
            if name == wanted or name.startswith(f"{wanted}[")
        ]


@contextmanager
def copy_of(source: Path) -> Iterator[Path]:
    """A copy of what git tracks or would track, deleted afterwards."""
    words = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(  # nosec B603
        words, cwd=source, capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory(prefix="dotmac-faults-") as folder:
        tree = Path(folder) / "whole"
        for name in filter(None, listed.stdout.split("\0")):
            if (source / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, tree / name)
        yield tree


def examine(
    guards: Sequence[Guard], *, source: Path, databases: Databases
) -> Iterator[Finding]:
    """The verdict on each guard, as it becomes known.

    The tests are run once on an unchanged copy first: a test that is red or
    missing there proves nothing.
    """
    with copy_of(source) as whole:
        tests = dict.fromkeys(test for guard in guards for test in guard.tests)
        with databases(None) as variables:
            before = run_tests(whole, list(tests), variables)
        for guard in guards:
            began = time.monotonic()
            verdict, says = _judge(guard, whole, before, databases)
            seconds = time.monotonic() - began
            yield Finding(guard=guard, verdict=verdict, seconds=seconds, says=says)


def _judge(
    guard: Guard, whole: Path, before: Report, databases: Databases
) -> tuple[Verdict, str]:
    for test in guard.tests:
        results = before.of(test)
        if not results or any(results):
            words = next(filter(None, results), "") or "\n".join(before.errors)
            return Verdict.UNCLEAR, (
                f"{test} is not green before the fault: {words or before.said}"
            )
    planted = whole.with_name("planted")
    shutil.copytree(whole, planted)
    try:
        for change in guard.code:
            change.plant(planted)
        with databases(guard) as variables:
            return _verdict(guard, run_tests(planted, guard.tests, variables))
    except CannotPlant as error:
        return Verdict.UNCLEAR, str(error)
    finally:
        shutil.rmtree(planted)


def _verdict(guard: Guard, after: Report) -> tuple[Verdict, str]:
    if after.code not in (0, 1) or after.errors:
        return Verdict.UNCLEAR, "\n".join(after.errors) or after.said
    for test in guard.tests:
        failures = list(filter(None, after.of(test)))
        if not failures:
            return Verdict.SURVIVED, f"{test} stays green."
        broken = [words for words in failures if words.startswith(_BROKEN)]
        if broken:
            return Verdict.UNCLEAR, f"{test} breaks: {broken[0]}"
    return Verdict.CAUGHT, next(filter(None, after.results.values()))


def run_tests(tree: Path, tests: Sequence[str], variables: Mapping[str, str]) -> Report:
    """Run these node ids below `tree` in a process of their own."""
    file = tree / "report.xml"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={file}"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_HANDED_ON)}
    try:
        done = subprocess.run(  # nosec B603
            [sys.executable, *words, *tests],
            cwd=tree,
            env={**kept, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_MAX_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        said = f"No end after {RUN_MAX_S} s."
        return Report(code=-1, results={}, errors=[said], said=said)
    said = "\n".join((done.stdout + done.stderr).splitlines()[-SAID_LINES:])
    if not file.exists():
        return Report(code=-1, results={}, errors=[said], said=said)
    results, errors = _read(file)
    return Report(code=done.returncode, results=results, errors=errors, said=said)


def _read(file: Path) -> tuple[dict[str, str], list[str]]:
    results: dict[str, str] = {}
    errors: list[str] = []
    for case in ET.parse(file).iter("testcase"):  # noqa: S314  # nosec B314
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        # An error stands for a fixture or a file that did not even load.
        errors += [f"{name}: {_first_line(error)}" for error in case.iter("error")]
        if case.find("skipped") is None:
            failure = case.find("failure")
            results[name] = "" if failure is None else _first_line(failure)
    return results, errors


def _first_line(element: ET.Element) -> str:
    return (element.get("message") or "failed").splitlines()[0]


def _full_name(test: str) -> str:
    path, _, rest = test.partition("::")
    return ".".join((path.removesuffix(".py").replace("/", "."), *rest.split("::")))
