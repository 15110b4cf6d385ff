"""The maps that come with DotMac: one file a vendor, the file's name is its slug."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from apps.network.radius.attributes import attribute_table
from apps.network.rules.vendors import MalformedMap, VendorMap, vendor_map

FOLDER = Path(__file__).parent


def read_maps(folder: Path = FOLDER) -> tuple[VendorMap, ...]:
    """Every map of a folder, in the order of their names; raises MalformedMap."""
    maps = []
    for path in sorted(folder.glob("*.toml")):
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise MalformedMap(f"{path.stem}: {error}") from None
        maps.append(vendor_map(path.stem, document, attribute_table()))
    return tuple(maps)


@cache
def own_maps() -> tuple[VendorMap, ...]:
    """Those of this version of DotMac."""
    return read_maps()
