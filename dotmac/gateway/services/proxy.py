"""A request goes on to the process that serves it, and its answer comes back.

As RFC 9110, section 7.6, asks of a gateway: hop-by-hop fields end here, Via says that
it passed, nothing is tried twice and no redirect is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import structlog
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse, UnreadablePostError
from django.utils.translation import gettext as _

from dotmac.core.telemetry import new_traceparent, request_id_var
from dotmac.gateway.breaker import Breaker
from dotmac.gateway.refusals import refuse

log = structlog.get_logger(__name__)

NAME = "dotmac-gateway"
REQUEST_BYTES_MAX = 10_000_000
ANSWER_BYTES_MAX = 100_000_000
CHUNK_BYTES = 64 * 1024
CONNECTIONS_MAX = 64
FAILURES_MAX = 5
RETRY_S = 1.0
# RFC 9110, section 7.6.1, and what older programs send.
HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# What this process says itself, whatever the caller sent.
_OURS = frozenset(
    {
        "expect", "forwarded", "host", "traceparent", "tracestate", "via",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
        "x-forwarded-proto", "x-real-ip", "x-request-id",
    }
)  # fmt: skip
_NOT_PASSED_BACK = frozenset({"date", "server", "set-cookie", "x-request-id"})


def forward(request: Any, service: str, url: str) -> HttpResponse:
    """The upstream's answer, or a 502, 503 or 504 problem that names the service."""
    if NAME in request.headers.get("Via", ""):
        return _failed(request, 508, "proxy_loop", service)
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > REQUEST_BYTES_MAX:
        return refuse(request, status=413, code="body_too_large", title=_("Too large."))
    breaker = _breaker(url)
    if not breaker.permits():
        return _failed(request, 503, "upstream_unavailable", service)
    try:
        answer = _send(request, url)
    except UnreadablePostError:
        return refuse(
            request, status=400, code="malformed", title=_("The body broke off.")
        )
    except httpx.HTTPError as error:
        breaker.failed()
        log.warning("upstream_failed", service=service, reason=type(error).__name__)
        if isinstance(error, httpx.TimeoutException) and not isinstance(
            error, httpx.ConnectTimeout
        ):
            return _failed(request, 504, "upstream_timeout", service)
        return _failed(request, 502, "upstream_unreachable", service)
    breaker.succeeded()
    return _passed_back(answer)


def forwarded_headers(request: Any) -> dict[str, str]:
    """The header fields that the upstream gets."""
    ended = _ending(request.headers.get("Connection", "")) | _OURS
    passed = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in ended and value
    }
    passed |= {
        "Host": request.get_host(),
        "X-Forwarded-For": _hops(request),
        "X-Forwarded-Proto": request.scheme,
        "X-Request-ID": request_id_var.get(),
        "Via": f"1.1 {NAME}",
    }
    if traceparent := new_traceparent():
        passed["traceparent"] = traceparent
    return passed


def _ending(connection: str) -> set[str]:
    """The hop-by-hop fields, and those that the sender named as such."""
    return {name.strip().lower() for name in connection.split(",")} | HOP_BY_HOP


def _hops(request: Any) -> str:
    """What our own proxies wrote, then the peer; what clients wrote is dropped.

    The upstream's TRUSTED_PROXY_COUNT is this process's plus one.
    """
    trusted: int = settings.TRUSTED_PROXY_COUNT
    said = request.headers.get("X-Forwarded-For", "").split(",") if trusted else []
    hops = [hop.strip() for hop in said if hop.strip()][-trusted:] if trusted else []
    return ", ".join([*hops, str(request.META.get("REMOTE_ADDR", ""))])


def _send(request: Any, url: str) -> httpx.Response:
    client = _client(url, os.getpid())
    headers = forwarded_headers(request)
    has_body = request.headers.get("Content-Length", "0") not in {"", "0"}
    outgoing = client.build_request(
        request.method,
        request.get_full_path(),
        headers=headers,
        content=_body_of(request) if has_body else None,
    )
    return client.send(outgoing, stream=True)


def _body_of(request: Any) -> Iterator[bytes]:
    while chunk := request.read(CHUNK_BYTES):
        yield chunk


def _passed_back(answer: httpx.Response) -> HttpResponse:
    response: Any = StreamingHttpResponse(
        _bounded(answer), status=answer.status_code, reason=answer.reason_phrase
    )
    del response["Content-Type"]
    ended = _ending(answer.headers.get("connection", "")) | _NOT_PASSED_BACK
    for name, value in answer.headers.items():
        if name.lower() not in ended:
            response[name] = value
    for cookie in answer.headers.get_list("set-cookie"):
        response.cookies.load(cookie)
    response._resource_closers.append(answer.close)
    return response  # type: ignore[no-any-return]


def _bounded(answer: httpx.Response) -> Iterator[bytes]:
    """The body as it comes, compressed or not; an endless one is cut off."""
    passed = 0
    for chunk in answer.iter_raw(CHUNK_BYTES):
        passed += len(chunk)
        if passed > ANSWER_BYTES_MAX:
            log.warning("upstream_endless", url=str(answer.url.path))
            raise ConnectionError("The upstream's answer does not end.")
        yield chunk


def _failed(request: Any, status: int, code: str, service: str) -> HttpResponse:
    return refuse(
        request,
        status=status,
        code=code,
        title=_("A part of the platform does not answer."),
        detail=_("What became of the request is not known; ask before repeating it."),
        retry_after_s=max(1, int(RETRY_S)),
        service=service,
    )


@cache
def _client(url: str, process: int) -> httpx.Client:
    """One pool of connections for each upstream and process."""
    return httpx.Client(
        base_url=url,
        timeout=httpx.Timeout(settings.UPSTREAM_TIMEOUT_S, connect=1.0, pool=1.0),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        follow_redirects=False,
        trust_env=False,
    )


@cache
def _breaker(url: str) -> Breaker:
    return Breaker(failures_max=FAILURES_MAX, retry_s=RETRY_S)
