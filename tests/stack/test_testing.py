"""run_tests.py: what its flags choose, and what it does without system packages."""

import io
from typing import Any

import pytest

from scripts import packages, testing
from scripts.environment import Environment
from scripts.machine import Refused
from scripts.progress import Steps
from tests import programs
from tests.environment import ROOT

pytestmark = pytest.mark.unit
TESTS = ROOT / "tests"
SHORT = "not performance and not faults and not fuzz"
NOWHERE = packages.Package("no-such-package", "no-such-program", "nothing")


def words(*arguments):
    given, rest = testing.options().parse_known_args(arguments)
    return testing.pytest_words(given, rest)


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ((), [SHORT]),
        (("--category", "security"), ["security"]),
        (("--category", "performance"), ["performance"]),
        (("--service", "portal"), [SHORT, f"{TESTS}/portal"]),
        (("--service", "portal", "--category", "e2e"), ["e2e", f"{TESTS}/portal"]),
    ],
)
def test_flags_choose_tests(arguments, chosen):
    assert words(*arguments) == ["-m", *chosen, "-n", "2"]


def test_the_rest_goes_to_pytest_and_may_overrule():
    assert words("-k", "name", "-x")[-3:] == ["-k", "name", "-x"]
    assert words("-m", "unit", "-n0") == ["-m", "unit", "-n0"]
    assert words("--coverage", "-n0")[2:5] == [
        "--cov", "--cov-report=json:.coverage.json", "--cov-report=term",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [("--service", "bilingual"), ("--category", "slow")]
)
def test_unknown_names_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        words(*arguments)
    assert refused.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_every_name_has_tests_and_every_race_a_name():
    chosen = {name for names in testing.SERVICES.values() for name in names}
    assert {name for name in chosen if not (TESTS / name).exists()} == set()
    theirs = [*TESTS.glob("races/test_*.py"), *TESTS.glob("promises/test_ledger_*.py")]
    of_parts = {name for names in testing.PARTS.values() for name in names}
    assert {str(path.relative_to(TESTS)) for path in theirs} <= of_parts
    of_the_specification = {n for n in testing.SERVICES if n.startswith("dotmac_")}
    assert len(of_the_specification) == 10


@pytest.fixture
def told(monkeypatch):
    """told(*arguments) is the environment that pytest would get."""

    def of(*arguments):
        given, rest = testing.options().parse_known_args(arguments)
        became = []
        with monkeypatch.context() as patch:
            patch.setattr("os.execve", lambda *call: became.append(call))
            patch.setattr("os.chdir", lambda folder: None)
            become: Any = testing._become_pytest
            become(Environment(), given, rest)
        return became[0][2]

    return of


def system_packages(*arguments):
    given, _rest = testing.options().parse_known_args(arguments)
    testing._system_packages(given, Steps(io.StringIO()))


def test_missing_packages_are_installed_by_root_and_named_to_others(monkeypatch):
    installed = []
    monkeypatch.setattr(packages, "FOR_TESTS", (NOWHERE,))
    monkeypatch.setattr(
        packages, "install", lambda found, steps: installed.extend(found)
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    system_packages()
    assert installed == [NOWHERE]

    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Refused, match="sudo apt-get install no-such-package"):
        system_packages()


def test_without_them_the_run_is_told_to_leave_their_tests_out(
    told, monkeypatch, capsys
):
    monkeypatch.setattr(packages, "FOR_TESTS", (NOWHERE,))
    system_packages("--without-system-packages")
    assert "tests that need it are left out" in capsys.readouterr().err

    assert told("--without-system-packages")[packages.LEAVE_OUT] == "1"


@pytest.mark.parametrize("coverage", [("--coverage",), ("--coverage", "-k", "x"), ()])
def test_floors_are_held_by_whole_runs(told, monkeypatch, coverage):
    monkeypatch.delenv("DOTMAC_COVERAGE_FLOORS", raising=False)
    assert ("DOTMAC_COVERAGE_FLOORS" in told(*coverage)) is (
        coverage == ("--coverage",)
    )


def test_a_test_that_needs_a_missing_program_fails_unless_it_may_be_left_out(
    monkeypatch,
):
    monkeypatch.setattr(packages, "FOR_TESTS", (NOWHERE,))
    monkeypatch.delenv(packages.LEAVE_OUT, raising=False)
    with pytest.raises(pytest.fail.Exception, match="needs no-such-package"):
        programs.need("no-such-package")

    monkeypatch.setenv(packages.LEAVE_OUT, "1")
    with pytest.raises(pytest.skip.Exception, match="Left out without no-such-package"):
        programs.need("no-such-package")


def test_a_test_whose_program_is_there_goes_on(monkeypatch):
    there = packages.Package("shell", "sh", "a shell")
    monkeypatch.setattr(packages, "FOR_TESTS", (there,))
    monkeypatch.setenv(packages.LEAVE_OUT, "1")
    programs.need("shell")
