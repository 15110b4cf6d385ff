"""Make apps/network/radius/attributes.tsv from FreeRADIUS's dictionaries.

    python tools/radius_dictionary.py           write the table
    python tools/radius_dictionary.py --check   fail if it would be another one

The table has what can travel as one attribute of RFC 2865's format: not the
server's own variables, nor attributes inside others, nor vendors with headers of
their own. A test runs the comparison where FreeRADIUS is installed.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

DICTIONARIES = Path("/usr/share/freeradius")
TABLE = Path(__file__).parent.parent / "apps/network/radius/attributes.tsv"
HEADER = """\
# Attributes of RADIUS, made by tools/radius_dictionary.py: never edited by hand.
# From the dictionaries of FreeRADIUS 3.2.1 (Debian), which are (C) the FreeRADIUS
# Server project and contributors, licensed under CC-BY 4.0
# (https://creativecommons.org/licenses/by/4.0/); reduced to a table.
# name, vendor's number, number, type, tagged, encryption, words of integers
"""
TYPES = {
    "string": "string", "octets": "octets", "integer": "integer", "uint32": "integer",
    "integer64": "integer64", "signed": "signed", "byte": "byte", "short": "short",
    "uint16": "short", "date": "date", "ipaddr": "ipaddr", "ipv6addr": "ipv6addr",
    "ipv6prefix": "ipv6prefix", "ipv4prefix": "ipv4prefix", "combo-ip": "combo-ip",
    "ifid": "ifid", "ether": "ether",
}  # fmt: skip
# Numbers above are the server's own variables.
NUMBER_MAX = 255


@dataclass(slots=True)
class Found:
    """One attribute of the dictionaries."""

    name: str
    vendor: int
    number: int
    type: str
    tagged: bool
    encryption: int
    words: dict[str, int] = field(default_factory=dict)


def lines_of(path: Path) -> Iterator[list[str]]:
    """The statements of a dictionary and of those that it includes."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if words[0].startswith("$INCLUDE"):
            included = path.parent / words[1]
            if included.exists():
                yield from lines_of(included)
            continue
        yield words


class Reader:
    """Follows the statements of the dictionaries, one after the other."""

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self._vendors: dict[str, int] = {}
        self._plain: set[str] = {""}
        self._words: dict[str, dict[str, int]] = defaultdict(dict)
        self._vendor = ""
        self._depth = 0
        self._acts: dict[str, Callable[..., None]] = {
            "VENDOR": self._name_vendor, "BEGIN-VENDOR": self._begin_vendor,
            "END-VENDOR": self._end_vendor, "BEGIN-TLV": self._begin_tlv,
            "END-TLV": self._end_tlv, "ATTRIBUTE": self._attribute,
            "VALUE": self._value,
        }  # fmt: skip

    def read(self, words: list[str]) -> None:
        act = self._acts.get(words[0])
        if act is not None:
            act(*words[1:])

    def finish(self) -> dict[str, Found]:
        """An attribute may have two names: words of one are words of both."""
        of_number: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
        for name, words in self._words.items():
            if made := self.found.get(name):
                of_number[made.vendor, made.number].update(words)
        for made in self.found.values():
            made.words = of_number.get((made.vendor, made.number), {})
        return self.found

    def _name_vendor(self, name: str, number: str, *rest: str) -> None:
        self._vendors[name] = int(number, 0)
        if not rest or rest[0] == "format=1,1":
            self._plain.add(name)

    def _begin_vendor(self, name: str, *_: str) -> None:
        self._vendor = name

    def _end_vendor(self, *_: str) -> None:
        self._vendor = ""

    def _begin_tlv(self, *_: str) -> None:
        self._depth += 1

    def _end_tlv(self, *_: str) -> None:
        self._depth -= 1

    def _attribute(self, name: str, number: str, kind: str, *rest: str) -> None:
        if self._depth or self._vendor not in self._plain:
            return
        vendor = self._vendors.get(self._vendor, 0)
        made = attribute(name, vendor, number, kind, list(rest))
        if made is not None:
            self.found[name] = made

    def _value(self, name: str, word: str, number: str, *_: str) -> None:
        if number[0].isdigit():
            self._words[name][word] = int(number, 0)


def read(folder: Path) -> dict[str, Found]:
    """Every attribute that can travel, by its name; the last definition counts."""
    reader = Reader()
    for words in lines_of(folder / "dictionary"):
        reader.read(words)
    return reader.finish()


def attribute(
    name: str, vendor: int, number: str, kind: str, rest: list[str]
) -> Found | None:
    """None for what is no attribute of its own."""
    flags = [flag for word in rest for flag in word.split(",")]
    kind = kind.lower().split("[")[0]
    if not number.isdigit() and not number.startswith("0x"):
        return None
    if not 0 < int(number, 0) <= NUMBER_MAX or kind not in TYPES:
        return None
    # An array in one attribute, one attribute over several, no attribute at all.
    if {"array", "concat", "virtual"} & set(flags):
        return None
    encryption = next(
        (int(flag[-1]) for flag in flags if flag.startswith("encrypt=")), 0
    )
    return Found(
        name, vendor, int(number, 0), TYPES[kind], "has_tag" in flags, encryption
    )


def table(found: dict[str, Found]) -> str:
    rows = sorted(found.values(), key=lambda a: (a.vendor, a.number, a.name))
    return HEADER + "".join(
        "\t".join(
            (
                a.name, str(a.vendor), str(a.number), a.type,
                "tag" if a.tagged else "", str(a.encryption or ""),
                ",".join(f"{word}={number}" for word, number in a.words.items()),
            )
        ).rstrip("\t") + "\n"
        for a in rows
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    made = table(read(DICTIONARIES))
    if arguments.check:
        return int(made != TABLE.read_text(encoding="utf-8"))
    TABLE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
