"""How much the gateway shows to strangers: all to developers, little to the Internet."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from dotmac.core.api import actor_of


class DescriptionPermission(BasePermission):
    """The API's description: for everybody in development, else after signing in.

    Making it costs a second of CPU, and it is a map of the house; a copy is in the
    repository (docs/openapi.yaml).
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if settings.GATEWAY_MODE != "development":
            actor_of(request)
        return True


def for_developers(
    view: Callable[..., HttpResponse],
) -> Callable[..., HttpResponse]:
    """Pages that GATEWAY_MODE=production does not have."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if settings.GATEWAY_MODE != "development":
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
