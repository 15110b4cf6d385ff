"""Serves this process's part of the routes, and forwards those of other processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dotmac.core.api.problems import domain_response
from dotmac.core.errors import AuthenticationRefused
from dotmac.gateway.api import OPEN
from dotmac.gateway.refusals import refuse
from dotmac.gateway.services import proxy
from dotmac.gateway.services.routes import Owner, owner_of
from dotmac.settings.services import GATEWAY


class ServiceMiddleware:
    """Behind recognition and limits: what goes on to another process is known.

    DOTMAC_SERVICE names the one service that this process is; the gateway, and a
    process without a name, serve everything that UPSTREAM_SERVICES does not name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        mine = settings.DOTMAC_SERVICE
        upstreams: dict[str, str] = settings.UPSTREAM_SERVICES
        is_whole = mine in {"", GATEWAY}
        if is_whole and not upstreams:
            return self.get_response(request)
        owner = owner_of(request.path_info)
        if owner is None:
            return self.get_response(request)
        if not is_whole:
            return self.get_response(request) if owner.service == mine else _absent()
        if owner.service not in upstreams:
            return self.get_response(request)
        refusal = _refusal(request, owner)
        if refusal is not None:
            return refusal
        return proxy.forward(request, owner.service, upstreams[owner.service])


def _absent() -> HttpResponse:
    # Always a problem: whoever asks a part for what it has not is a program.
    request = HttpRequest()
    return refuse(
        request,
        status=404,
        code="not_served_here",
        title=_("Another service has this."),
        service=settings.DOTMAC_SERVICE,
    )


def _refusal(request: Any, owner: Owner) -> HttpResponse | None:
    """The gateway's own look at who asks; the upstream looks again."""
    if not request.path.startswith("/api/") or owner.name in OPEN:
        return None
    error = request.refusal
    if error is None and request.actor is None:
        error = AuthenticationRefused()
    if error is None:
        return None
    response = domain_response(error)
    response["WWW-Authenticate"] = "Bearer"
    return response
