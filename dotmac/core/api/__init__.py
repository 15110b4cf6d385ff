"""Bases of the REST API; `actor_of` is how a view learns who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dotmac.core.errors import AuthenticationRefused

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    from dotmac.core.actors import Actor


def address_of(request: Request | HttpRequest) -> str:
    """The client's address as the gateway judged it."""
    found = getattr(request, "client_address", None)
    return str(request.META.get("REMOTE_ADDR", "") if found is None else found)


def actor_of(request: Request | HttpRequest) -> Actor:
    """The actor whom the gateway or the session middleware recognised.

    Raises AuthenticationRefused when there is none.
    """
    actor = getattr(request, "actor", None)
    if actor is None:
        raise AuthenticationRefused
    return cast("Actor", actor)
