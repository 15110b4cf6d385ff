"""Pages for what went wrong, each with its request id; problems for programs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _

from dotmac.core.api.problems import problem_response
from dotmac.core.telemetry import request_id_var


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A stranger's record and a missing one look the same."""
    return _answer(request, 404, "not_found", _("Not found."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "permission_denied", _("Not permitted."))


def broken(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500, "internal_error", _("Something broke on our side."))


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Usually a page that stayed open over a new sign-in."""
    words = _("This page is too old to be sent. Go back, reload it and try again.")
    return _answer(request, 403, "csrf", words)


def _answer(request: HttpRequest, status: int, code: str, words: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem_response(status=status, code=code, title=words)
    context: dict[str, Any] = {
        "operator_name": settings.OPERATOR_NAME,
        "request_id": request_id_var.get(),
        "home_url": _home(request.path),
        "reason": words,
    }
    body = loader.render_to_string(f"{status}.html", context)
    return HttpResponse(body, status=status)


def _home(path: str) -> str:
    return "/console/" if path.startswith("/console") else "/portal/"
