"""JSON with one meaning: bounded in size and depth, no duplicate keys, no NaN.

Stricter than RFC 8259 where readers differ: numbers beyond what a double holds or of
more than a hundred digits, lone surrogates (RFC 7493, I-JSON) and repeated keys are
refused. What a field takes is for the field to say.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

BODY_BYTES_MAX = 1_000_000
# A file of five megabytes with what stands around it in a form.
UPLOAD_BYTES_MAX = 5_300_000
DEPTH_MAX = 32
NUMBER_CHARACTERS_MAX = 100


_UPLOADS: list[re.Pattern[str]] = []


def register_upload(path: str) -> None:
    """A route of the API, behind its version, that takes a file. Repeatable."""
    pattern = re.compile(rf"/api/v\d{{1,4}}/{path}")
    if pattern not in _UPLOADS:
        _UPLOADS.append(pattern)


def is_upload(path: str) -> bool:
    """Whether a path of the API takes a file, and with it a larger body."""
    return any(pattern.fullmatch(path) for pattern in _UPLOADS)


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = f"The body may have {BODY_BYTES_MAX} bytes."


class StrictJSONParser(BaseParser):
    """UTF-8 JSON objects for writes."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(BODY_BYTES_MAX + 1)
        if len(raw) > BODY_BYTES_MAX:
            raise BodyTooLarge
        return parse_strictly(raw)


def parse_strictly(raw: bytes) -> Any:
    """The value; raises ParseError for anything with more than one reading."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not UTF-8.")) from error
    if "\x00" in text or "\\u0000" in text:
        raise ParseError(_("The body holds a NUL character."))
    if _depth(text) > DEPTH_MAX:
        raise ParseError(_("The body is nested too deeply."))
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_float,
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ParseError(_("The body is not valid JSON: %s") % _reason(error)) from None
    return value


def _reason(error: Exception) -> str:
    # Its own words would repeat the character that cannot be written.
    return "a lone surrogate" if isinstance(error, UnicodeError) else str(error)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _depth(text: str) -> int:
    """The deepest nesting outside strings; cheap, before anything recurses."""
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _integer(text: str) -> int:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise ValueError("a number is too large")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if len(text) > NUMBER_CHARACTERS_MAX or not math.isfinite(number):
        raise ValueError("a number is too large or too long")
    return number
