"""Who asks: a bearer token or a key on the API, a cookie on the other faces.

Token and cookie lead to one Session row, which is read by its key on every request. The
middleware sets `request.actor` (None for strangers), `request.session_row` and
`request.client_address`; views learn the actor through `actor_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionFace
from apps.identity.errors import TokenRefused
from dotmac.core.addresses import read_address
from dotmac.core.errors import DomainError

log = structlog.get_logger("dotmac.access")

# The key in Django's session that holds the row's id, for each face.
COOKIE_KEYS = {SessionFace.CONSOLE: "console_sid", SessionFace.PORTAL: "portal_sid"}
_FACES = (
    ("/console", SessionFace.CONSOLE),
    ("/admin", SessionFace.CONSOLE),
    ("/portal", SessionFace.PORTAL),
)
_SCHEME = "bearer "
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


class ActorMiddleware:
    """Recognises the actor. Stands behind Django's sessions, before all that asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.actor = request.session_row = request.refusal = None
        request.api_key = None
        request.client_address = client_address(request)
        if request.path.startswith("/api/"):
            _by_token(request)
            response = self.get_response(request)
            response.headers.setdefault("Cache-Control", "no-store")
        else:
            if face := face_of(request.path):
                _by_cookie(request, face)
            response = self.get_response(request)
        if request.actor is not None:
            _write_down(request, response)
        return response


def _write_down(request: Any, response: HttpResponse) -> None:
    """What was decided; it may never cost the person the answer."""
    try:
        identity.record_decisions(
            actor=request.actor,
            now=timezone.now(),
            acted=request.method not in _SAFE,
            found=response.status_code != HTTPStatus.NOT_FOUND,
        )
    except DatabaseError as error:
        log.warning("decisions_not_recorded", error=type(error).__name__)


def face_of(path: str) -> SessionFace | None:
    """Through which door a path leads, if it needs a session."""
    for prefix, face in _FACES:
        if path == prefix or path.startswith(f"{prefix}/"):
            return face
    return None


def client_address(request: HttpRequest) -> str:
    """The peer, or what the trusted proxies say of it; never the client's word.

    A dual-stack listener writes IPv4 peers as ::ffff:192.0.2.1: that is 192.0.2.1.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    trusted: int = settings.TRUSTED_PROXY_COUNT
    hops = [
        hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")
    ]
    if trusted and len(hops) >= trusted and is_valid_address(hops[-trusted]):
        peer = hops[-trusted]
    return str(read_address(peer)) if is_valid_address(peer) else peer


def is_valid_address(text: str) -> bool:
    """True for an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _by_token(request: Any) -> None:
    """A bad token is refused by the views that need one, not by those that do not."""
    header = request.headers.get("Authorization", "")
    if not header:
        return
    now = timezone.now()
    try:
        if not header.lower().startswith(_SCHEME):
            raise TokenRefused
        text = header[len(_SCHEME) :].strip()
        if text.startswith(selectors.API_KEY_MARK):
            _by_api_key(request, text, now)
            return
        session = selectors.session_of_access_token(text, now=now)
    except DomainError as error:
        request.refusal = error
        return
    _recognise(request, session, now)


def _by_api_key(request: Any, text: str, now: Any) -> None:
    """A program with a key: its owner, as far as the key goes. No session."""
    address = request.client_address
    key = selectors.api_key_of(text, now=now, address=address)
    request.user, request.api_key = key.user, key
    request.actor = selectors.actor_for_api_key(key, now=now, address=address)
    identity.count_key_use(key=key, address=address, now=now)


def _by_cookie(request: Any, face: SessionFace) -> None:
    session_id = request.session.get(COOKIE_KEYS[face])
    request.user = AnonymousUser()
    if not isinstance(session_id, int):
        return
    now = timezone.now()
    session = selectors.live_session(session_id=session_id, now=now)
    if session is None or session.face != face:
        return
    request.session_row = session
    if session.is_whole:
        _recognise(request, session, now)


def _recognise(request: Any, session: Any, now: Any) -> None:
    request.session_row, request.user = session, session.user
    request.actor = selectors.actor_for_session(
        session, now=now, address=request.client_address
    )
    identity.touch_session(session=session, now=now)


class BearerAuthentication(BaseAuthentication):
    """Hands what the middleware recognised to DRF."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        plain: Any = request._request
        refusal = getattr(plain, "refusal", None)
        if refusal is not None:
            raise refusal
        row = getattr(plain, "session_row", None) or plain.api_key
        return None if row is None else (row.user, row)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How OpenAPI describes it."""

    target_class = "dotmac.gateway.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
