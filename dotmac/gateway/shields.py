"""What every answer carries, and whom other origins are: nobody.

CORS is closed: no origin gets an Access-Control header. A developer's gateway
(GATEWAY_MODE=development) opens /api/ to pages on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from dotmac.gateway.refusals import refuse

Next = Callable[[HttpRequest], HttpResponse]

_FACES = ("/console", "/portal", "/admin", "/api/")
# Nothing of a browser that this site does not use.
_PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in (
        "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
        "encrypted-media", "geolocation", "gyroscope", "magnetometer", "microphone",
        "midi", "payment", "picture-in-picture", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED = "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-ID"
_SHOWN = (
    "Deprecation, ETag, Idempotent-Replay, Link, Location, RateLimit, "
    "RateLimit-Policy, Retry-After, Sunset, X-Request-ID"
)
_PREFLIGHT_S = "600"


class HeadersMiddleware:
    """The headers that Django does not know, on every answer.

    The API is refused over plain HTTP where the site has TLS, never redirected.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_exposed(request):
            response = refuse(
                request,
                status=403,
                code="https_required",
                title=_("The API is served over HTTPS only."),
                detail=_("What was just sent is not private any more: replace it."),
            )
        else:
            response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", _PERMISSIONS)
        if request.path.startswith(_FACES):
            headers.setdefault("Cache-Control", "no-store")
        return response


def _is_exposed(request: HttpRequest) -> bool:
    wants_tls = getattr(settings, "SECURE_SSL_REDIRECT", False)
    return bool(
        wants_tls and request.path.startswith("/api/") and not request.is_secure()
    )


class ContentPolicyMiddleware(CSPMiddleware):
    """The content policy; only the portal's forms may end on the payment page."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002 - django-csp's signature
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith("/portal") and not report_only:
            parts.update = {
                **(parts.update or {}),
                "form-action": settings.CHECKOUT_FORM_ORIGINS,
            }
        return parts


class OriginMiddleware:
    """Answers preflights, and opens the API to this machine for a developer."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        is_open = _is_open(request, origin)
        if _is_preflight(request):
            return _preflight(request, origin) if is_open else _closed(request)
        response = self.get_response(request)
        if is_open:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = _SHOWN
            response["Cross-Origin-Resource-Policy"] = "cross-origin"
            patch_vary_headers(response, ("Origin",))
        return response


def _is_preflight(request: HttpRequest) -> bool:
    return (
        request.method == "OPTIONS"
        and "Access-Control-Request-Method" in request.headers
    )


def _is_open(request: HttpRequest, origin: str) -> bool:
    if settings.GATEWAY_MODE != "development" or not request.path.startswith("/api/"):
        return False
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
        return parts.scheme in {"http", "https"} and (
            host == "localhost" or ip_address(host).is_loopback
        )
    except ValueError:
        return False


def _preflight(request: HttpRequest, origin: str) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Allow-Methods"] = _METHODS
    response["Access-Control-Allow-Headers"] = _ASKED
    response["Access-Control-Max-Age"] = _PREFLIGHT_S
    patch_vary_headers(response, ("Origin",))
    return response


def _closed(request: HttpRequest) -> HttpResponse:
    facts: dict[str, Any] = {"status": 403, "code": "cors_closed"}
    return refuse(request, title=_("Pages of other origins may not use this."), **facts)
