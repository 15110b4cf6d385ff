"""Every request has an id, in the answer, the logs, the audit and the events."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from dotmac.core.api.parsers import BODY_BYTES_MAX
from dotmac.core.api.problems import problem_response
from dotmac.core.telemetry import new_request_id, request_id_var

log = structlog.get_logger("dotmac.request")

API_PREFIX = "/api/"


class RequestIdMiddleware:
    """Takes a harmless X-Request-ID or makes one, and logs one line a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = new_request_id(request.headers.get("X-Request-ID", ""))
        token = request_id_var.set(request_id)
        started = time.monotonic()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round((time.monotonic() - started) * 1000),
            )
            return response
        finally:
            request_id_var.reset(token)


class BodyLimitMiddleware:
    """Refuse an API body that says it is too large before anything reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        too_large = length.isdigit() and int(length) > BODY_BYTES_MAX
        if too_large and request.path.startswith(API_PREFIX):
            return problem_response(
                status=413,
                code="body_too_large",
                title=f"The body may have {BODY_BYTES_MAX} bytes.",
            )
        return self.get_response(request)


def unknown_path(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """The API's 404 for paths that no route knows."""
    return problem_response(status=404, code="not_found", title="Not found.")
