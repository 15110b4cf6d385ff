"""Files of another RADIUS server as tables: CSV, zip of CSV, RouterOS's own print."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from apps.network.rules.credentials import MalformedText

BYTES_MAX = 64 * 1024 * 1024
FILES_MAX = 20
ROWS_MAX = 1_000_000
# So many lines that could not be read are named where nothing could be.
FAULTS_TOLD = 3
_NOT_UTF8 = "The file is not UTF-8: save it as UTF-8, then read it again."
# The tables that are read, and the columns by which a file is known to be one.
_CHECKS = ("username", "attribute", "op", "value")
_GROUPS = ("groupname", "attribute", "op", "value")
KINDS: dict[str, tuple[frozenset[str], ...]] = {
    "radusergroup": (frozenset({"username", "groupname"}),),
    "limitation": (frozenset({"name", "rate-limit-rx"}),),
    "profile-limitation": (frozenset({"profile", "limitation"}),),
    "user-profile": (frozenset({"user", "profile"}),),
    "users": (
        frozenset({"username", "password"}),
        frozenset({"name", "password"}),
        frozenset({"name", "shared-users"}),
        frozenset({"username", "shared-users"}),
    ),
}
# The other two of zipfile are unpacked at once, however long that is.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises of octets that are no zip; it names the first and the second.
_NO_ZIP = (
    zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError,
    IndexError,
)  # fmt: skip
RADIUS_TABLES = (
    "radcheck", "radreply", "radusergroup", "radgroupcheck", "radgroupreply",
)  # fmt: skip
USER_MANAGER_TABLES = ("users", "user-profile", "profile-limitation", "limitation")
# A dump without a heading has the columns in the order of the stock schema.
_STOCK_ORDER = {
    "radcheck": ("id", *_CHECKS), "radreply": ("id", *_CHECKS),
    "radgroupcheck": ("id", *_GROUPS), "radgroupreply": ("id", *_GROUPS),
    "radusergroup": ("username", "groupname", "priority"),
}  # fmt: skip
_SECTIONS = {
    "user": "users", "user-profile": "user-profile", "limitation": "limitation",
    "profile-limitation": "profile-limitation",
    "profile profile-limitation": "profile-limitation",
    "profile limitation": "limitation",
}  # fmt: skip
_WORD = re.compile(r'([A-Za-z][\w-]*)=("(?:[^"\\]|\\.)*"|\S*)')
_NUMBERED = re.compile(r"^\s*\d+\s")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, and its cells by lower-case column."""

    place: str
    cells: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first of these columns that is there; else empty."""
        return next((self.cells[n] for n in names if n in self.cells), "")


@dataclass(slots=True)
class Tables:
    """Rows by table, what could not be read and where, and files nobody asked for."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def of(self, table: str) -> list[Row]:
        return self.rows.get(table, [])

    def add(self, table: str, row: Row) -> None:
        self.rows.setdefault(table, []).append(row)
        if sum(len(rows) for rows in self.rows.values()) > ROWS_MAX:
            raise MalformedText(f"At most {ROWS_MAX} rows at once.")

    @property
    def is_user_manager(self) -> bool:
        return bool(self.of("users"))


def tables_of_files(files: Sequence[tuple[str, bytes]]) -> Tables:
    """The tables of one or several files; a zip is what is in it.

    Raises MalformedText where nothing can be made of them at all: no zip that opens,
    too much, no users. A line that cannot be read is a fault of its own.
    """
    tables = Tables()
    for name, content in _opened(files):
        _read(name, content, tables)
    if not tables.of("users") and not tables.of("radcheck"):
        faults = "".join(
            f" {place}: {why}" for place, why in tables.faults[:FAULTS_TOLD]
        )
        raise MalformedText(
            "There are no users in it: neither radcheck (username, attribute, op,"
            f" value) nor users of the User Manager (username or name, password).{faults}"
        )
    return tables


def _opened(files: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    total = 0
    for name, content in files:
        found = [(name, content)]
        if content.startswith(b"PK\x03\x04"):
            try:
                found = _unpacked(content, total)
            except MalformedText:
                raise
            except _NO_ZIP:
                raise MalformedText(f"{name} is no zip that can be opened.") from None
        total += sum(len(each) for _, each in found)
        _bounded(total)
        yield from found


def _unpacked(content: bytes, taken: int) -> list[tuple[str, bytes]]:
    """The files of a zip, where `taken` octets were read before it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) > FILES_MAX:
            raise MalformedText(f"At most {FILES_MAX} files in a zip.")
        _bounded(taken + sum(member.file_size for member in members))
        return [(member.filename, _content(archive, member)) for member in members]


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """One file, of no more octets than the zip says of it."""
    if member.compress_type not in _PACKINGS:
        raise zipfile.BadZipFile
    with archive.open(member) as packed:
        # Without a number all of it is unpacked at once, however long it is.
        return packed.read(member.file_size + 1)


def _bounded(total: int) -> None:
    if total > BYTES_MAX:
        raise MalformedText(f"At most {BYTES_MAX // 1024 // 1024} MB at once.")


def _read(path: str, content: bytes, tables: Tables) -> None:
    name = path.rsplit("/", 1)[-1]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        tables.faults.append((f"{name} line {line}", _NOT_UTF8))
        return
    if "\0" in text:
        tables.faults.append((name, "The file is no text."))
    elif re.search(r"^(/|\s*\d+\s.*\bname=)", text, re.MULTILINE):
        _read_router(name, text, tables)
    else:
        _read_csv(name, text, tables)


def _read_csv(name: str, text: str, tables: Tables) -> None:
    table, columns = "", ()  # type: tuple[str, tuple[str, ...]]
    for line, cells in _lines(name, text, tables):
        if not columns:
            table, columns, heading = _heading(name, cells)
            if not table:
                tables.left.append(name)
                return
            if heading:
                continue
        if len(cells) != len(columns):
            wrong = f"It has {len(cells)} cells, the heading {len(columns)}."
            tables.faults.append((f"{name} line {line}", wrong))
            continue
        row = Row(f"{name} line {line}", dict(zip(columns, cells, strict=True)))
        tables.add(table, row)


def _lines(name: str, text: str, tables: Tables) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers; what is no CSV is a fault."""
    lines = text.splitlines(keepends=True)
    first = lines[0] if lines else ""
    comma = max(",;\t", key=first.count)
    reader = csv.reader(lines, delimiter=comma, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tables.faults.append(
                (f"{name} line {line}", f"The line is no CSV: {error}.")
            )
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells


def _heading(name: str, cells: list[str]) -> tuple[str, tuple[str, ...], bool]:
    """Which table it is, its columns, and whether this line is the heading."""
    found = tuple(re.sub(r"[\s_]+", "-", cell.strip().lower()) for cell in cells)
    by_name = _by_name(name)
    if set(_CHECKS) <= set(found):
        return by_name or "radcheck", found, True
    if set(_GROUPS) <= set(found):
        return by_name or "radgroupreply", found, True
    for table, headings in KINDS.items():
        if any(heading <= set(found) for heading in headings):
            return table, found, True
    stock = _STOCK_ORDER.get(by_name, ())
    if len(stock) == len(cells):
        return by_name, stock, False
    return "", (), False


def _by_name(name: str) -> str:
    low = name.lower()
    # radgroupcheck before radcheck would not matter: neither contains the other.
    return next((table for table in RADIUS_TABLES if table in low), "")


def _read_router(name: str, text: str, tables: Tables) -> None:
    """RouterOS: an export (add name=… under a menu), or `print` of the users."""
    table = "users"
    for line, record in _records(text):
        if record.startswith("/"):
            menu = re.sub(r"/", " ", record.split(" add ")[0]).split()
            menu = [word for word in menu if word not in ("tool", "user-manager")]
            table = _SECTIONS.get(" ".join(menu), "")
            if " add " not in record:
                continue
        cells = {key.lower(): _bare(value) for key, value in _WORD.findall(record)}
        if not table or not cells:
            continue
        head = record.split("=", 1)[0].split()
        if _NUMBERED.match(record) and "X" in head:  # print's flag: disabled
            cells["disabled"] = "yes"
        tables.add(table, Row(f"{name} line {line}", cells))


def _records(text: str) -> Iterator[tuple[int, str]]:
    """Whole records with the line on which they begin; what is wrapped is joined."""
    begun, kept = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.strip()
        if not plain or plain.startswith(("#", ";;;", "Flags:")):
            continue
        begins = plain.startswith(("/", "add ")) or _NUMBERED.match(line)
        if begins and not kept.endswith("\\"):
            if kept:
                yield begun, kept
            begun, kept = number, plain
        elif kept.endswith("\\"):
            kept = kept[:-1] + plain
        elif kept:
            kept += " " + plain
    yield begun, kept


def _bare(value: str) -> str:
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
