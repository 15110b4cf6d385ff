"""The house's own linter: each rule catches its example, and we pass it."""

import pytest

from tests.environment import ROOT
from tools import check_house

pytestmark = pytest.mark.unit
LONG = "def long():\n" + "    x = 1\n" * 60


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("apps/a/rules/x.py", "x = 1\n" * 401, "split it by noun"),
        ("apps/a/rules/x.py", LONG, "at most 50"),
        ("apps/a/operations/x.py", "apps.get_model('a', 'B')", "get_model"),
        ("apps/a/operations/x.py", "now = timezone.now()", "pass `now`"),
        (
            "apps/a/tasks.py",
            "@shared_task(name='a.b')\ndef b(**_later): ...",
            "time_limit",
        ),
        (
            "apps/a/tasks.py",
            "@shared_task(name='a', time_limit=1)\ndef b(x): ...",
            "**_later",
        ),
        ("apps/a/operations/x.py", "A.objects.select_for_update()", "no_key"),
        ("apps/a/handlers.py", "from django.dispatch import receiver", "signals"),
        ("apps/a/models/x.py", "class A:\n    def save(self): ...", "save()"),
        (
            "apps/a/models/x.py",
            "class A:\n    class Meta:\n        ordering = ('x',)",
            "ordering",
        ),
    ],
)
def test_a_rule_catches_its_example(path, text, rule):
    assert any(rule in found for _, found in check_house.check_python(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/a/migrations/0001_x.py", "apps.get_model('a', 'B')"),
        (
            "apps/a/tasks.py",
            "@shared_task(name='a', time_limit=1)\ndef b(*, x, **_later): timezone.now()",
        ),
        ("apps/a/operations/x.py", "A.objects.select_for_update(no_key=True)"),
        ("tests/journeys/test_x.py", LONG),
    ],
)
def test_what_is_right_passes(path, text):
    assert check_house.check_python(path, text) == []


@pytest.mark.parametrize(
    "line",
    [
        '<p style="color: red">',
        '<a onclick="go()">',
        "<script>go()</script>",
        "<style>",
    ],
)
def test_inline_style_and_script_are_caught(line):
    assert check_house.check_template("x.html", line)


def test_a_script_of_its_own_file_passes():
    line = '<script src="/static/x.js" defer></script>'
    assert check_house.check_template("x.html", line) == []


def test_the_house_keeps_its_rules(capsys):
    assert check_house.main(ROOT) == 0, capsys.readouterr().out
