"""The maps that come with DotMac: one file a vendor, the file's name is its slug."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from apps.network.radius.attributes import attribute_table
from apps.network.rules.vendors import MalformedMap, VendorMap, vendor_map
from dotmac.core.invariants import Invariant

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


def files_invariant() -> Invariant:
    """Whether the rules of RADIUS are those of the files, all of them and no other.

    A file that is no map offends as well, instead of keeping DotMac from starting.
    """
    try:
        pairs = [(found.slug, found.digest) for found in own_maps()]
    except MalformedMap as error:
        pairs = [(re.sub(r"[^a-z0-9_ ]", "", str(error).lower()), "malformed")]
    # Of a-z, 0-9 and _ only.
    wanted = ", ".join(f"('{slug}', '{digest}')" for slug, digest in pairs)
    return Invariant(
        name="network.vendor_rules_match_files",
        says="The rules of RADIUS answers are those of the vendors' files.",
        sql=f"""
            SELECT coalesce(m.slug, f.slug) AS vendor, m.digest AS loaded, f.digest AS file
              FROM network_vendormap m
              FULL JOIN (VALUES {wanted}) AS f (slug, digest) ON f.slug = m.slug
             WHERE m.digest IS DISTINCT FROM f.digest
                OR network_vendor_digest(m.slug) IS DISTINCT FROM m.digest
        """,  # noqa: S608  # nosec B608
    )


@cache
def own_maps() -> tuple[VendorMap, ...]:
    """Those of this version of DotMac."""
    return read_maps()
