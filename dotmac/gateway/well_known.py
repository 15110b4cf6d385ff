"""Addresses that programs know without being told (RFC 8615)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from apps.identity import selectors


@require_safe
def key_set(request: HttpRequest) -> HttpResponse:
    """The public keys of access tokens, as at /api/v1/auth/keys."""
    return JsonResponse(
        selectors.jwt_key_set(), headers={"Cache-Control": "public, max-age=300"}
    )


@require_safe
def change_password(request: HttpRequest) -> HttpResponse:
    """Where password managers lead people who want a new password."""
    return redirect("portal:security")
