"""Refusing before a view is asked: a problem for programs, a page for people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import loader

from dotmac.core.api.problems import problem_response
from dotmac.core.telemetry import request_id_var

_PAGES = ("/console", "/portal", "/admin")


def refuse(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    title: str,
    detail: str = "",
    retry_after_s: int | None = None,
    **facts: Any,
) -> HttpResponse:
    """The answer; `facts` stand in the problem, Retry-After is in seconds."""
    if request.path.startswith(_PAGES):
        response = _page(request, status, title, detail)
    else:
        response = problem_response(
            status=status, code=code, title=title, detail=detail, **facts
        )
    if retry_after_s is not None:
        response["Retry-After"] = str(retry_after_s)
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, status: int, title: str, detail: str) -> HttpResponse:
    home = "/console/" if request.path.startswith("/console") else "/portal/"
    context = {
        "operator_name": settings.OPERATOR_NAME,
        "request_id": request_id_var.get(),
        "home_url": home,
        "says": title,
        "detail": detail,
    }
    body = loader.render_to_string("gateway/refused.html", context)
    return HttpResponse(body, status=status)
