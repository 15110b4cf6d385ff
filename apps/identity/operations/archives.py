"""One archive with everything that every app holds about a customer."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Iterable, Mapping
from datetime import datetime
from typing import IO, Any

import orjson
from django.conf import settings

from apps.identity.errors import FileBroken
from apps.identity.models import Customer
from apps.identity.selectors.files import documents_of, file_content
from apps.identity.selectors.personal import same_person
from dotmac.core.participants import keepers_of

# What a table's rows and all files together may have, unpacked.
ARCHIVE_BYTES_MAX = 300_000_000
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
_ABOUT = (
    "Everything that {operator} holds about customer {reference}, as of {at}.\n"
    "One folder for each number that the customer was registered under; in it one\n"
    "JSON file for each kind of record, and the documents as they were received.\n"
)
_DAMAGED = "These documents are damaged in our store and could not be copied:"


class ArchiveTooLarge(Exception):
    """More than anybody downloads at once."""

    def __init__(self) -> None:
        super().__init__(f"More than {ARCHIVE_BYTES_MAX:,} bytes are held.")


class _Budget:
    """Counts what was written, so that no archive grows without end."""

    def __init__(self) -> None:
        self.left = ARCHIVE_BYTES_MAX

    def spend(self, size_bytes: int) -> None:
        self.left -= size_bytes
        if self.left < 0:
            raise ArchiveTooLarge


def write_archive(target: IO[bytes] | Any, *, customer: Customer, now: datetime) -> int:
    """Write a ZIP archive; returns how many tables it has. Changes nothing.

    Raises ArchiveTooLarge beyond ARCHIVE_BYTES_MAX.
    """
    budget, tables = _Budget(), 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "README.txt",
            _ABOUT.format(
                operator=settings.OPERATOR_NAME,
                reference=customer.reference,
                at=now.isoformat(),
            ),
        )
        for person in same_person(customer.pk):
            tables += _write_tables(archive, person, budget)
            _write_documents(archive, person, budget)
    return tables


def _write_tables(archive: zipfile.ZipFile, person: Customer, budget: _Budget) -> int:
    count = 0
    for _app, keeper in keepers_of("identity.customer"):
        for held in keeper.export(person.pk):
            path = f"{person.reference}/{held.name.replace('.', '/')}.json"
            try:
                with archive.open(path, "w") as file:
                    _write_rows(file, held.rows, budget)
            finally:
                _close(held.rows)
            count += 1
    return count


def _close(rows: Iterable[Mapping[str, Any]]) -> None:
    """End a query that was not read to its end, while its transaction still stands:
    its cursor would be missed when the generator is collected afterwards."""
    if isinstance(rows, Generator):
        rows.close()


def _write_rows(
    file: IO[bytes], rows: Iterable[Mapping[str, Any]], budget: _Budget
) -> None:
    """A JSON array, a row a line, without holding more than one row."""
    before = b"["
    for row in rows:
        line = orjson.dumps(dict(row), default=str, option=_OPTIONS)
        budget.spend(len(line))
        file.write(before + b"\n" + line)
        before = b","
    file.write(b"\n]\n" if before == b"," else b"[]\n")


def _write_documents(
    archive: zipfile.ZipFile, person: Customer, budget: _Budget
) -> None:
    """The papers as they came, and which of them cannot be read any more.

    One that is damaged must not keep everything else from the person.
    """
    broken = []
    for document in documents_of(person.pk):
        name = f"{document.pk}-{document.file.name}"
        try:
            # Checked as a whole first: a paper is small.
            content = file_content(document.file)
        except FileBroken:
            broken.append(name)
            continue
        budget.spend(len(content))
        archive.writestr(f"{person.reference}/documents/{name}", content)
    if broken:
        lines = "\n".join((_DAMAGED, *broken, ""))
        archive.writestr(f"{person.reference}/documents/DAMAGED.txt", lines)
