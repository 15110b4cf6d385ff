"""Whole pages, and the parts of them that refresh by polling."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.crypto import constant_time_compare

_ETAG_LENGTH = 32


def answer(
    request: HttpRequest, whole: str, part: str, context: dict[str, Any]
) -> HttpResponse:
    """The page, or with ?fragment only its changing part, with an ETag.

    An unchanged part costs 304 and no bytes.
    """
    if "fragment" not in request.GET:
        return render(request, whole, {**context, "part": part})
    response = render(request, part, context)
    digest = hashlib.sha256(response.content).hexdigest()[:_ETAG_LENGTH]
    etag = f'"{digest}"'
    if constant_time_compare(request.headers.get("If-None-Match", ""), etag):
        return HttpResponseNotModified(headers={"ETag": etag})
    response["ETag"] = etag
    return response
