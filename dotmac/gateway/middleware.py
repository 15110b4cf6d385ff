"""Every request has an id, in the answer, the logs, the audit and the events."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from dotmac.core.telemetry import new_request_id, request_id_var

log = structlog.get_logger("dotmac.request")


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
