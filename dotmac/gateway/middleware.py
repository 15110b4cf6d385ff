"""Every request has an id, in the answer, the logs, the audit and the events."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dotmac.core.api.parsers import BODY_BYTES_MAX, UPLOAD_BYTES_MAX, is_upload
from dotmac.core.api.problems import problem_response
from dotmac.core.telemetry import (
    new_request_id,
    read_traceparent,
    request_id_var,
    trace_id_var,
)
from dotmac.gateway.refusals import refuse

log = structlog.get_logger("dotmac.request")

API_PREFIX = "/api/"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RequestIdMiddleware:
    """Takes a harmless X-Request-ID or makes one, and logs one line a request.

    A well-formed traceparent (W3C Trace Context) names the trace; without an
    X-Request-ID its trace id is the request's id too. Anything else is ignored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        trace_id = read_traceparent(request.headers.get("traceparent", ""))
        offered = request.headers.get("X-Request-ID", "")
        request_id = new_request_id(offered or trace_id)
        tokens = request_id_var.set(request_id), trace_id_var.set(trace_id)
        path, started = request.path, time.monotonic()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            log.info(
                "request",
                method=request.method,
                path=path,
                status=response.status_code,
                ms=round((time.monotonic() - started) * 1000),
            )
            return response
        finally:
            request_id_var.reset(tokens[0])
            trace_id_var.reset(tokens[1])

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        """A developer's gateway says what broke; others say that something did."""
        is_ours = request.path.startswith(API_PREFIX)
        if settings.GATEWAY_MODE != "development" or not is_ours:
            return None
        log.error("request_broke", path=request.path, exc_info=error)
        return refuse(
            request,
            status=500,
            code="internal_error",
            title=_("Something broke on our side."),
            exception=f"{type(error).__name__}: {error}"[:2000],
        )


class BodyLimitMiddleware:
    """Refuse a body that is too large, announced or not.

    A body without Content-Length (chunked, HTTP/2) is read up to the limit here,
    since Django takes it for an empty one. Forms of the pages and the API's routes
    for files may announce UPLOAD_BYTES_MAX, all else of the API BODY_BYTES_MAX.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        if not length and request.method in _WITH_BODY:
            if not _read_unannounced(request):
                return _too_large(request, BODY_BYTES_MAX)
        elif not _is_within(length, most := _most(request.path)):
            return _too_large(request, most)
        return self.get_response(request)


def _most(path: str) -> int:
    is_plain = path.startswith(API_PREFIX) and not is_upload(path)
    return BODY_BYTES_MAX if is_plain else UPLOAD_BYTES_MAX


def _is_within(length: str, most: int) -> bool:
    if not length:
        return True
    is_number = length.isascii() and length.isdigit() and len(length) < 12
    return is_number and int(length) <= most


def _read_unannounced(request: Any) -> bool:
    """Read it; False when it goes on beyond the limit."""
    if not request.META.get("wsgi.input_terminated"):
        return True  # The server cannot say where the body ends: there is none.
    source, body = request.META["wsgi.input"], bytearray()
    while len(body) <= BODY_BYTES_MAX:
        chunk = source.read(BODY_BYTES_MAX + 1 - len(body))
        if not chunk:
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = BytesIO(bytes(body))
            request.__dict__.pop("headers", None)  # They were read without it.
            return True
        body += chunk
    return False


def _too_large(request: HttpRequest, most: int) -> HttpResponse:
    return refuse(
        request,
        status=413,
        code="body_too_large",
        title=_("Too large: at most %(most)s MB at once. Nothing was changed.")
        % {"most": f"{most / 1_000_000:g}"},
    )


def unknown_path(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """The API's 404 for paths that no route knows."""
    return problem_response(status=404, code="not_found", title="Not found.")
