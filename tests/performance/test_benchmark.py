"""scripts/benchmark.py at tiny sizes: that it runs and writes, not what it says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import RADIUS_SERVER, need
from tools.bench.page import Bar, Section, write

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = {
    "customers": ("--rows", "200"),
    "authorisation": ("--rows", "200"),
    "expressions": ("--evaluations", "500"),
    # Enough for PostgreSQL's clock of CPU, whose ticks are ten milliseconds.
    "audit": ("--entries", "500", "--writes", "60"),
    "allocation": ("--held", "50", "--requests", "20"),
    "radius": ("--subscribers", "800", "--packets", "300", "--storm", "300"),
    "buffered": ("--subscribers", "800", "--packets", "300"),
    "outage": ("--away", "2", "--away-rate", "50"),
    "billing": ("--services", "20"),
    "coa": ("--changes", "16"),
    "limiter": ("--calls", "50"),
}


@pytest.mark.performance
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SIZES)
def test_the_script_measures_and_writes_its_section(name, tmp_path):
    if name in {"radius", "buffered", "outage"}:
        need(*RADIUS_SERVER)
    page = tmp_path / "benchmarks.md"
    # The settings of this test run are not for the servers that it starts.
    given = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME"}}

    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "scripts" / "benchmark.py"), name),
            *(*SIZES[name], "--rounds", "1", "--page", str(page)),
        ],
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )

    # 1: a bar was missed, as it may be with so few rows.
    assert done.returncode in {0, 1}, done.stderr[-2000:]
    # Or it refused to measure, which is a 1 as well.
    assert page.exists(), done.stderr[-2000:]
    text = page.read_text()
    assert f"<!-- {name} -->" in text
    assert f"scripts/benchmark.py {name} {' '.join(SIZES[name])}" in text
    promises = (
        *("exactly 1", "two holders", "5xx", "above the limit", "findings"),
        *("without an answer", "unexpected answers", "queries of a request"),
        "their Start and Stop",
    )
    for promise in promises:
        for line in text.splitlines():
            assert not (promise in line and "MISSED" in line), line


@pytest.mark.unit
def test_the_plain_reference_shows_what_the_api_shows():
    """A field that it lacks would make its page cheaper; the measurement refuses."""
    from apps.identity.api.serializers import CustomerSerializer

    tree = ast.parse((ROOT / "tools/bench/plain/models.py").read_text())
    (model,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    shown = {
        target.id
        for node in model.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    assert {"id", *shown} == set(CustomerSerializer.Meta.fields)


@pytest.mark.unit
def test_every_measurement_is_run_here():
    """What nothing runs breaks without a word."""
    from scripts.benchmark import MEASUREMENTS

    assert SIZES.keys() == MEASUREMENTS.keys()


@pytest.mark.unit
def test_some_rules_are_evaluated_to_their_end():
    from apps.identity.rules.policy import LANGUAGE
    from dotmac.core.expressions import Verdict
    from tools.bench import rights

    facts = {
        "actor.roles": ["support"], "actor.mfa_age_s": 10, "request.hour": 14,
        "request.address": rights.ADDRESS, "request.weekday": 3,
    }  # fmt: skip
    asked = [rights.expression_of(number) for number in range(1, rights.RULES, 2)]
    whole = [text for text in asked if "weekday" in text]
    assert len(whole) == len(asked) // 2
    for text in asked:
        assert LANGUAGE.compile(text).evaluate(facts) is Verdict.FALSE
    for text in whole:
        # All that stands before the last clause is true.
        before = text.rpartition(" && ")[0]
        assert LANGUAGE.compile(before).evaluate(facts) is Verdict.TRUE


def _section(name: str, value: str) -> Section:
    return Section(
        name=name, title=name.title(), stamp="today", settings="as shipped",
        columns=("a", "b"), rows=[("1", value)], bars=[Bar("more", value, met=False)],
    )  # fmt: skip


@pytest.mark.unit
def test_a_section_replaces_its_older_self_and_leaves_the_others(tmp_path):
    page = tmp_path / "benchmarks.md"
    write(page, _section("one", "old"))
    write(page, _section("two", "stays"))

    write(page, _section("one", "new"))

    text = page.read_text()
    assert "old" not in text
    assert text.count("## One") == text.count("## Two") == 1
    assert text.index("new") < text.index("stays")
    assert "- more: **new**, MISSED" in text
