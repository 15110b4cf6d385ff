"""The table of guards fits the tree, and the tool that takes them away is honest.

Whether each guard is missed is the long tier's: tests/faults/test_guards_are_missed.py.
"""

import ast
import contextlib
import os
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path

import psycopg
import pytest

from tools import plant_faults
from tools.faults import database
from tools.faults.guard import Body, CannotPlant, Code, Guard, Kind, Sql
from tools.faults.planting import Verdict, examine
from tools.faults.table import GUARDS

ROOT = Path(__file__).resolve().parent.parent.parent
BIG_APPS = ("ops", "identity", "federation", "network", "catalog", "billing")
TITLES = [guard.title for guard in GUARDS]


# The table -------------------------------------------------------------------


def test_each_big_app_has_a_guard_of_each_kind():
    for app in BIG_APPS:
        kinds = Counter(guard.kind for guard in GUARDS if guard.app == app)
        assert set(kinds) == set(Kind), app
        assert kinds.total() >= 5
    for app, least in (("core", 3), ("gateway", 3), ("analytics", 2)):
        assert sum(guard.app == app for guard in GUARDS) >= least, app


def test_each_guard_has_one_name_a_change_and_a_test():
    assert len(set(TITLES)) == len(TITLES)
    for guard in GUARDS:
        assert guard.changes, guard.title
        assert guard.tests, guard.title
        assert guard.keeps, guard.title


@cache
def functions_of(path):
    """`name` and `Class::name` of the functions of a test file."""
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = (m for m in node.body if isinstance(m, ast.FunctionDef))
            found |= {f"{node.name}::{method.name}" for method in methods}
    return found


@pytest.mark.parametrize("guard", GUARDS, ids=TITLES)
def test_a_guard_stands_in_the_tree_and_so_do_its_tests(guard):
    for change in guard.code:
        text = change.applied(ROOT)
        ast.parse(text)
    for test in guard.tests:
        path, _, name = test.partition("::")
        assert name.partition("[")[0] in functions_of(path), test


@pytest.mark.integration
def test_a_guard_stands_in_the_database(own_database):
    """Each change of the database is possible, on its own, for the tables' owner."""
    planted = [guard for guard in GUARDS if guard.database]
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        for guard in planted:
            with owner.transaction(force_rollback=True):
                database.plant(guard, owner)
    assert planted


# The tool ---------------------------------------------------------------------

LAMP = (
    "def is_lit(hours):\n    if hours < 0:\n        raise ValueError\n    return True\n"
)
TESTS = """\
import pytest
from lamp import is_lit


def test_lights():
    assert is_lit(1)


def test_refuses():
    with pytest.raises(ValueError):
        is_lit(-1)


def test_is_red_anyway():
    assert not is_lit(1)
"""
REFUSAL = "    if hours < 0:\n        raise ValueError\n"
REFUSES = "test_lamp.py::test_refuses"


@pytest.fixture
def tree(tmp_path):
    """A small tree of its own, tracked by git."""
    (tmp_path / "lamp.py").write_text(LAMP)
    (tmp_path / "test_lamp.py").write_text(TESTS)
    (tmp_path / "pytest.ini").touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


@contextlib.contextmanager
def no_database(guard):
    # Loading the plugins takes longer than these tests.
    yield {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def guard(*changes, name="g", tests=(REFUSES,)):
    return Guard(
        app="lamps", name=name, kind=Kind.CHECK, keeps="x", changes=changes, tests=tests
    )


def code(old, new, path="lamp.py"):
    return Code(path, old, new)


MISSED = guard(code(REFUSAL, ""), name="missed")
HARMLESS = guard(code("return True", "return bool(1)"), name="harmless")


def test_a_guard_that_is_missed_is_caught_and_the_tree_stays_whole(tree, capsys):
    done = plant_faults.plant_all([MISSED], source=tree, databases=no_database)

    assert done == 0
    assert "[1/1] lamps/missed: caught" in capsys.readouterr().out
    assert (tree / "lamp.py").read_text() == LAMP


def test_what_nobody_notices_is_named_and_ends_with_1(tree, capsys):
    done = plant_faults.plant_all(
        [HARMLESS, MISSED], source=tree, databases=no_database
    )

    assert done == 1
    said = capsys.readouterr().out
    assert "lamps/harmless: SURVIVED" in said
    assert "lamps/missed: caught" in said
    assert "1 of 2 faults were caught" in said


def test_what_proves_nothing_is_not_counted_as_caught(tree):
    """A program that broke, a test that is red or not there, an edit that misses."""
    odd = [
        guard(code("def is_lit", "def is_off"), name="cannot be imported"),
        guard(code("    return True", "    return missing"), name="raises a NameError",
              tests=("test_lamp.py::test_lights",)),
        guard(code("return True", "return ("), name="is no Python"),
        guard(code(REFUSAL, ""), name="was red before",
              tests=(REFUSES, "test_lamp.py::test_is_red_anyway")),
        guard(code("no such line", ""), name="is not there"),
        guard(code("hours", "days"), name="is there twice"),
        guard(code("x", "y", path="gone.py"), name="has no file"),
    ]  # fmt: skip

    found = {one.guard.name: one for one in examine(
        odd, source=tree, databases=no_database
    )}  # fmt: skip

    assert {one.verdict for one in found.values()} == {Verdict.UNCLEAR}
    assert "NameError" in found["raises a NameError"].says
    assert "not green before" in found["was red before"].says
    assert "found 0 times" in found["is not there"].says
    assert "found 2 times" in found["is there twice"].says


def test_every_test_of_a_guard_must_turn_red(tree):
    half = guard(code(REFUSAL, ""), tests=(REFUSES, "test_lamp.py::test_lights"))

    (finding,) = examine([half], source=tree, databases=no_database)

    assert finding.verdict == Verdict.SURVIVED
    assert "test_lights stays green" in finding.says


@pytest.mark.parametrize(
    "path", ["apps/ops/sql/0001_floor.sql", "apps/ops/migrations/0001_create_floor.py"]
)
def test_what_migrate_runs_is_planted_by_sql_only(path):
    with pytest.raises(CannotPlant, match="by SQL"):
        code("CREATE", "", path=path).applied(ROOT)


@pytest.mark.integration
def test_a_change_of_the_database_that_does_not_fit_is_refused(own_database):
    for change in (
        Sql("DROP TRIGGER no_such_trigger ON ops_auditentry"),
        Body("no_such_function", "a", "b"),
        Body("dotmac_unseal", "no such text", ""),
    ):
        with (
            psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner,
            pytest.raises(CannotPlant),
        ):
            database.plant(guard(change), owner)


@pytest.mark.integration
def test_a_planted_database_is_never_left_for_others(django_db_setup):
    planted = guard(Sql("DROP TRIGGER ops_auditentry_append_only ON ops_auditentry"))

    with database.template_for(planted) as variables:
        name = variables[database.TEMPLATE]
        assert name != os.environ[database.TEMPLATE]
        assert variables["DATABASE_URL"].endswith(f"/{name}")
        assert _triggers(variables["DATABASE_OWNER_URL"]) == 0

    with psycopg.connect(os.environ["DOTMAC_TEST_SUPERUSER_URL"]) as admin:
        left = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert admin.execute(left, [name]).fetchone() == (0,)
    assert _triggers(os.environ["DATABASE_OWNER_URL"]) == 1


def _triggers(url):
    with psycopg.connect(url) as owner:
        ((count,),) = owner.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'ops_auditentry_append_only'"
        )
        return count


def test_the_list_shows_guards_and_an_unknown_name_is_an_error(capsys):
    assert plant_faults.main(["--list", "--app", "ops"]) == 0
    said = capsys.readouterr().out
    assert "ops/business-date-forward (check)" in said
    assert "billing/" not in said
    assert plant_faults.main(["--name", "no-such-guard"]) == 2
