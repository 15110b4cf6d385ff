"""What runs untraced: stories, and the ORM, which calls nothing of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import models
from django.db.models import expressions, lookups, signals

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


def told(program, folder, tale=TALE):
    """What a program prints that finds a tale beside it and measures for itself."""
    (folder / "tale.py").write_text(tale)
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={
            **{k: v for k, v in os.environ.items() if k != measuring.HANDED_ON},
            "PYTHONPATH": f"{ROOT}:{folder}",
        },
    )
    return ran.stdout


def test_a_story_is_not_traced_and_what_follows_is(tmp_path):
    lines, seen, restored = json.loads(told(RUN, tmp_path))
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


# The ORM ----------------------------------------------------------------------

CALLED_BY_THE_ORM = (
    "__getstate__", "__init__", "_do_insert", "_do_update", "from_db",
    "refresh_from_db", "save", "save_base",
)  # fmt: skip
MAKING = {"__init__", "deconstruct"}
# Branches, loops, generators and refusals around what is wrapped: each arc counts.
WINDING = """def rows(fetch, n):
    for i in range(n):
        try:
            x = fetch(i)
        except LookupError:
            x = None
        else:
            if x % 2:
                continue
        yield x


def wander(fetch):
    out = []
    with open("/dev/null"):
        for value in rows(fetch, 6):
            if value is None:
                out.append(0)
            else:
                out.append(
                    fetch(value),
                )
    return [fetch(y) for y in out if y or fetch(1)]
"""
WANDER = """
import json, sys
import coverage
from tests.measuring import untraced

def fetch(number):
    if number == 3:
        raise LookupError
    return number

def arcs(how):
    measured = coverage.Coverage(
        data_file=None, config_file=False, branch=True, include=["*/tale.py"]
    )
    sys.modules.pop("tale", None)
    measured.start()
    import tale
    tale.wander(how)
    try:
        tale.wander(lambda _: how(3) or tale)
        [how(3)]
    except (LookupError, TypeError):
        tale.wander(how)
    measured.stop()
    return sorted(measured.get_data().arcs(tale.__file__))

print(json.dumps([arcs(fetch), arcs(untraced(fetch))]))
"""


def is_ours(thing):
    return thing.__module__.split(".")[0] in {"apps", "dotmac"}


def all_below(kind):
    for below in kind.__subclasses__():
        yield below
        yield from all_below(below)


def test_the_orm_calls_nothing_of_ours():
    """Else its lines would be missing from coverage: see `measuring.ORM`."""
    kinds = [*all_below(lookups.Lookup), *all_below(expressions.BaseExpression)]
    fields = {
        type(field) for model in apps.get_models() for field in model._meta.get_fields()
    }
    found: list[object] = [kind for kind in kinds if is_ours(kind)]
    # A field of ours may say how it is made: no query asks that.
    found += [
        (field, name)
        for field in fields
        for name, part in vars(field).items()
        if is_ours(field) and callable(part) and name not in MAKING
    ]
    found += [
        (model, name)
        for model in apps.get_models()
        for name in CALLED_BY_THE_ORM
        if any(name in vars(base) for base in model.__mro__ if is_ours(base))
    ]
    found += [
        (base, name)
        for base in all_below(models.QuerySet)
        for name in measuring.ORM["django.db.models.query.QuerySet"]
        if is_ours(base) and name in vars(base)
    ]
    for signal in vars(signals).values():
        if isinstance(signal, signals.ModelSignal):
            live = [signal._live_receivers(model)[0] for model in apps.get_models()]
            found += [one for some in live for one in some if is_ours(one)]
    assert len(kinds) > 100
    assert len(fields) > 10
    assert not found


ROW = """
import json
import coverage
measured = coverage.Coverage(data_file=None, config_file=False, include=["*/tale.py"])
measured.start()
import tale
from tests.measuring import untraced
tale.before()
untraced(tale.within)()
assert untraced(sum)(tale.after() for _ in range(2)) == 6
measured.stop()
print(json.dumps(sorted(measured.get_data().lines(tale.__file__))))
"""


def test_what_is_wrapped_is_not_traced_and_what_follows_is(tmp_path):
    lines = json.loads(told(ROW, tmp_path))
    assert lines == [1, 2, 5, 9, 10], "the body of within() is line 6"


def test_no_arc_around_what_is_wrapped_is_lost(tmp_path):
    """A tracer that misses one return takes every later line for its caller's."""
    open_eyed, wrapped = json.loads(told(WANDER, tmp_path, WINDING))
    assert wrapped == open_eyed
    assert len(wrapped) > 25
