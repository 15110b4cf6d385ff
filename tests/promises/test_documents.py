"""What the documents say about the code is what the code says."""

import re

import pytest
from django.apps import apps

from tests.conformance.test_rights import MAY_CALL
from tests.environment import ROOT

pytestmark = pytest.mark.unit
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}


def records_of(label):
    """The names in the app's row of "Which record lives where"."""
    table = ARCHITECTURE.split("## Which record lives where")[1].split("\n## ")[0]
    (row,) = re.findall(rf"^\| {label} \| (.+) \|$", table, flags=re.MULTILINE)
    return row.split(", ")


@pytest.mark.parametrize(
    "label", ["ops", "identity", "federation", "network", "catalog", "billing"]
)
def test_every_record_is_named_where_it_lives(label):
    models = {model.__name__ for model in apps.get_app_config(label).get_models()}
    assert sorted(records_of(label)) == sorted(models)


def test_apps_without_a_row_have_no_records():
    ours = {c.label for c in apps.get_app_configs() if c.name.startswith("apps.")}
    named = set(re.findall(r"^\| (\w+) \| [A-Z]", ARCHITECTURE, flags=re.MULTILINE))
    for label in ours - named:
        assert list(apps.get_app_config(label).get_models()) == [], label


def test_the_functions_of_role_radius_are_counted():
    number = NUMBERS[len(MAY_CALL)]
    assert f"`radius` may execute {number} functions" in ARCHITECTURE
    radius = (ROOT / "docs/radius.md").read_text()
    assert f"may execute these\n{number}" in radius
    for name in MAY_CALL:
        assert f"`{name}(" in radius


def test_each_security_requirement_has_its_test_or_is_said_not_to_be_met():
    page = (ROOT / "docs/security.md").read_text()
    rows = re.findall(r"^\| (\d+) [^|]*\|(.*)\|$", page, flags=re.MULTILINE)
    assert sorted({int(number) for number, _ in rows}) == list(range(1, 54))
    for number, row in rows:
        named = re.findall(r"`(tests/[\w/]+?\.py)`", row)
        assert all((ROOT / name).exists() for name in named), number
        assert "`" in row or "not met" in row, number
