"""What is on the screen as CSV or XLSX, streamed, harmless to spreadsheets."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import Any

import xlsxwriter
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

from dotmac.core.api.pagination import keyset_page
from dotmac.core.console import ListScreen, Page
from dotmac.core.console.render import plain

ROWS_MAX = 50_000
CHUNK = 1_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export(
    screen: ListScreen, rows: QuerySet[Any], page: Page, kind: str
) -> HttpResponseBase:
    """The same filter and columns as the screen, at most ROWS_MAX rows."""
    name = f"{screen.slug.replace('/', '-')}-{page.today.isoformat()}"
    if kind == "xlsx":
        return _xlsx(screen, rows, page, name)
    answer = StreamingHttpResponse(
        _csv_lines(screen, rows, page), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets an apostrophe."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def table_rows(
    screen: ListScreen, rows: QuerySet[Any], page: Page
) -> Iterator[list[Any]]:
    """Header, then rows, fetched in keyset chunks so that memory stays flat."""
    columns = screen.all_columns(page)
    yield [str(column.label) for column in columns]
    after: list[Any] | None = None
    for _chunk in range(ROWS_MAX // CHUNK):
        found, more, _earlier = keyset_page(
            rows, screen.ordering, after, size=CHUNK, backwards=False
        )
        for row in screen.decorate(found, page):
            yield [harmless(plain(each.read(row), each.kind)) for each in columns]
        if not more:
            return
        after = [_key(found[-1], name.lstrip("-")) for name in screen.ordering]


def _key(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def _csv_lines(screen: ListScreen, rows: QuerySet[Any], page: Page) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for row in table_rows(screen, rows, page):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _xlsx(
    screen: ListScreen, rows: QuerySet[Any], page: Page, name: str
) -> HttpResponseBase:
    # Closed by FileResponse when the last byte is sent.
    target = tempfile.TemporaryFile()  # noqa: SIM115
    book = xlsxwriter.Workbook(
        target,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        },
    )
    sheet = book.add_worksheet(str(screen.title)[:31].replace("/", "-"))
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(table_rows(screen, rows, page)):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.close()
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=f"{name}.xlsx")
