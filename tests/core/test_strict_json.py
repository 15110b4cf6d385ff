"""JSON that has one reading everywhere, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rest_framework.exceptions import ParseError

from dotmac.core.api.parsers import DEPTH_MAX, parse_strictly

pytestmark = [pytest.mark.unit, pytest.mark.security]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": 1, "\\u0061": 2}',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b"[-1e999]",
        b"[" + b"9" * 101 + b"]",
        b"[" + b"9" * 5000 + b"]",
        b"[0." + b"1" * 100 + b"]",
        b"[0x10]",
        b"[01]",
        b"[1,]",
        b"{'a': 1}",
        b"[1] [2]",
        b"// a\n[1]",
        b"",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"\\u0000"',
        b'"\x00"',
        b'"\n"',
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
    ],
)
def test_what_has_several_readings_is_refused(raw):
    with pytest.raises(ParseError) as refused:
        parse_strictly(raw)
    assert str(refused.value.detail)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}}),
        (b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, None),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 37),
        (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        (b"[1.7976931348623157e308]", [1.7976931348623157e308]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"null", None),
    ],
)
def test_what_has_one_reading_is_read(raw, value):
    read = parse_strictly(raw)
    assert value is None or read == value


JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**63), 2**63 - 1) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)


@given(
    some.binary(max_size=200) | JSON.map(lambda v: repr(v).encode("utf-8", "ignore"))
)
def test_nothing_else_comes_out_of_it(raw):
    try:
        parse_strictly(raw)
    except ParseError:
        return
