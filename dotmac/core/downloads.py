"""Files for people: always saved, never shown or run by the browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)


def attached(content: bytes, *, name: str, media_type: str) -> HttpResponse:
    """An answer that the browser saves under this name."""
    return _safe(HttpResponse(content, content_type=media_type), name)


def attached_pieces(
    pieces: Iterator[bytes], *, name: str, media_type: str, size_bytes: int
) -> StreamingHttpResponse:
    """The same for a large file: its pieces are sent as they come."""
    response = StreamingHttpResponse(pieces, content_type=media_type)
    response["Content-Length"] = str(size_bytes)
    return _safe(response, name)


def _safe(response: ResponseT, name: str) -> ResponseT:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = str(disposition)
    # Whatever the bytes are, nothing in them runs in our name.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
