"""Zips that are broken, or hold more than they say."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import tracemalloc
import zipfile

import pytest

from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports import tables_of_files

pytestmark = [pytest.mark.unit, pytest.mark.security]
ROWS = "id,username,attribute,op,value\n1,ada,Cleartext-Password,:=,right horse\n"
REFUSED = "no zip that can be opened"


def zip_of(packing: int, name: str = "radcheck é.csv", text: str = ROWS) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", packing) as archive:
        archive.writestr(name, text)
    return kept.getvalue()


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_one_that_is_broken_anywhere_is_read_or_refused_in_words(packing):
    """zipfile raises seven kinds of errors for what it cannot read."""
    dice, whole = random.Random(4), zip_of(packing)
    assert tables_of_files([("x.zip", whole)]).of("radcheck")
    refused = 0
    for place in range(4, len(whole)):
        for value in (0, 255, *dice.sample(range(256), 4)):
            data = whole[:place] + bytes([value]) + whole[place + 1 :]
            with contextlib.suppress(MalformedText):
                refused += 1
                tables_of_files([("x.zip", data)])
                refused -= 1
    assert refused > len(whole)


def test_one_whose_end_is_missing_is_refused():
    whole = zip_of(zipfile.ZIP_DEFLATED)
    for size in range(4, len(whole)):
        with pytest.raises(MalformedText, match=REFUSED):
            tables_of_files([("x.zip", whole[:size])])


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_cannot_be_unpacked_in_part_is_refused(packing):
    with pytest.raises(MalformedText, match=REFUSED):
        tables_of_files([("x.zip", zip_of(packing))])


def test_one_that_holds_more_than_it_says_is_not_unpacked():
    size = 30_000_000
    data = zip_of(zipfile.ZIP_DEFLATED, text="0" * size)
    held, said = struct.pack("<L", size), struct.pack("<L", 10)
    assert data.count(held) == 2
    tracemalloc.start()

    with pytest.raises(MalformedText, match=REFUSED):
        tables_of_files([("bomb.zip", data.replace(held, said))])

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 10
