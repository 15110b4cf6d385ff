"""The schedule stands in one place; the document shows the same."""

import os
import re
from typing import Any

import pytest
from celery.schedules import crontab

from dotmac.celery import SCHEDULE, app
from tests.environment import ROOT

pytestmark = pytest.mark.unit
PAGE = ROOT / "docs/operations.md"
MARKS = re.compile(r"(<!-- schedule -->\n)(.*?)(<!-- /schedule -->)", re.DOTALL)


def when(schedule: Any) -> str:
    if isinstance(schedule, crontab):
        facts: Any = schedule
        hours, minutes = sorted(facts.hour), sorted(facts.minute)
        if len(hours) == len(minutes) == 1:
            return f"daily at {hours[0]:02d}:{minutes[0]:02d}"
        if len(hours) == 24 and len(minutes) == 1:
            return f"each hour at minute {minutes[0]}"
        return f"minutes {minutes}, hours {hours}"
    return f"every {schedule:g} s"


def table():
    app.loader.import_default_modules()
    rows = ["| task | when | what |", "|---|---|---|"]
    for name, (task, schedule) in SCHEDULE.items():
        says = (app.tasks[task].__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{name}` | {when(schedule)} | {says} |")
    return "\n".join(rows) + "\n"


def test_the_page_shows_the_schedule():
    text = PAGE.read_text()
    if os.environ.get("DOTMAC_UPDATE_DOCS"):
        PAGE.write_text(MARKS.sub(lambda found: found[1] + table() + found[3], text))
        text = PAGE.read_text()
    found = MARKS.search(text)
    assert found is not None
    assert found[2] == table(), "Run this test with DOTMAC_UPDATE_DOCS=1."


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    assert {task for task, _ in SCHEDULE.values()} <= set(app.tasks)
