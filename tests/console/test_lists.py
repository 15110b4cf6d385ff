"""Lists: keyset pages, filters, search, exports, bad input, fixed query counts."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.integration
BASELINE = Path(__file__).with_name("queries.json")


@pytest.fixture
def jobs(world):
    """A hundred and twenty jobs, one of them with a formula for a name."""
    from apps.ops import operations as ops
    from dotmac.core.refs import SubjectRef
    from tests.world import SYSTEM

    for number in range(120):
        label = "=HYPERLINK(1)" if number == 119 else f"Thing {number}"
        ops.start_job(
            kind="test.work",
            subject=SubjectRef("ops", "job", number, label),
            actor=SYSTEM,
            now=world.now,
        )


@pytest.fixture
def browser(world, enter_console):
    return enter_console(world.ada)


def links(answer, rel):
    found = answer.content.decode().split(f'rel="{rel}" href="')
    return found[1].split('"')[0].replace("&amp;", "&") if len(found) > 1 else ""


def first_cells(answer):
    parts = answer.content.decode().split("dm-first")[1:]
    return [part.split("#")[1].split("<")[0].strip() for part in parts]


def test_older_and_newer_pages_meet_without_gap_or_repeat(browser, jobs):
    first = browser.get("/console/jobs")
    second = browser.get("/console/jobs" + links(first, "next"))
    third = browser.get("/console/jobs" + links(second, "next"))
    seen = first_cells(first) + first_cells(second) + first_cells(third)
    assert len(seen) == len(set(seen)) == 120
    assert links(third, "next") == ""

    back = browser.get("/console/jobs" + links(third, "prev"))
    assert first_cells(back) == first_cells(second)
    assert links(first, "prev") == ""


def test_filters_stay_in_the_address_of_the_next_page(browser, jobs):
    answer = browser.get("/console/jobs?state=queued")
    assert "state=queued" in links(answer, "next")


@pytest.mark.security
@pytest.mark.parametrize(
    "query",
    [
        "state=unheard-of",
        "state=%00",
        "kind=" + "x" * 500,
        "kind=%27%3B+DROP+TABLE+ops_job%3B--",
        "cursor=nonsense",
        "cursor=" + "A" * 4000,
        "cursor=WzEsMl0",
        "q=%00%00",
        "fragment=1&cursor=zzz",
    ],
)
def test_a_bad_value_shows_nothing_and_breaks_nothing(browser, jobs, query):
    answer = browser.get(f"/console/jobs?{query}")
    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["2026-13-45", "yesterday", "0000-00-00"])
def test_a_bad_date_is_named_at_its_field(browser, value):
    answer = browser.get(f"/console/audit?from={value}")
    assert answer.status_code == 200
    assert "no value that the filter knows" in answer.content.decode()


def test_no_match_offers_to_clear_the_filters(browser, jobs):
    answer = browser.get("/console/jobs?state=failed")
    assert "Nothing matches these filters." in answer.content.decode()
    assert "Clear the filters" in answer.content.decode()


def test_an_unchanged_fragment_costs_a_304(browser, jobs):
    fresh = browser.get("/console/jobs?fragment=1")
    again = browser.get(
        "/console/jobs?fragment=1", headers={"If-None-Match": fresh["ETag"]}
    )
    assert again.status_code == 304
    assert again.content == b""


def test_csv_holds_the_filtered_rows_and_no_formula(browser, jobs):
    from apps.ops.models import AuditEntry

    answer = browser.get("/console/jobs/export.csv?state=queued")
    body = b"".join(answer.streaming_content).decode()
    rows = list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["Job", "About", "State"]
    assert len(rows) == 121
    assert rows[1][1] == "'=HYPERLINK(1)"
    assert AuditEntry.objects.filter(action="console.list.exported.csv").count() == 1


def test_xlsx_opens_and_holds_no_formula(browser, jobs):
    answer = browser.get("/console/jobs/export.xlsx")
    content = b"".join(answer.streaming_content)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count("<row ") == 121


def test_exports_need_the_list_s_permission(world, enter_console):
    from tests.console.screens import lists

    person = world.bisi
    browser = enter_console(person)
    for screen in lists():
        answer = browser.get(f"/console/{screen.slug}/export.csv")
        expected = 200 if person.actor.may(screen.permission) and screen.export else 403
        if not screen.export:
            expected = 404
        assert answer.status_code == expected, screen.slug


def test_each_list_takes_a_known_number_of_queries(world, browser, request):
    """`pytest --update-queries` writes the counts down; review the difference."""
    from tests.console.lines import put_on_line
    from tests.console.records import make_records
    from tests.console.screens import lists

    make_records(world)
    put_on_line(world, world.dayo, now=world.now)
    counted = {}
    for screen in lists():
        browser.get(f"/console/{screen.slug}")
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(f"/console/{screen.slug}").status_code == 200
        counted[screen.slug] = len(captured)
    if request.config.getoption("--update-queries"):
        BASELINE.write_text(json.dumps(counted, indent=2, sort_keys=True) + "\n")
    known = json.loads(BASELINE.read_text())
    grown = {
        slug: (known.get(slug), count)
        for slug, count in counted.items()
        if slug not in known or count > known[slug]
    }
    assert counted.keys() >= known.keys(), "lists that are no more"
    assert grown == {}, "more queries than written down (was, is)"
