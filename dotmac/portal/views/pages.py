"""The frame in which the apps' portal pages stand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dotmac.core.console.page import Done
from dotmac.core.errors import DomainError, NotFound, PermissionRefused
from dotmac.core.portal import PortalPage, PortalPageRequest
from dotmac.portal.access import View, customer_view
from dotmac.portal.navigation import shell


def view_of(shown: PortalPage) -> View:
    """A Django view around one declared page."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @customer_view
    def view(
        request: HttpRequest, page: PortalPageRequest, **path: Any
    ) -> HttpResponseBase:
        if request.method == "POST":
            return _submitted(request, shown, page, path)
        answer = shown.respond(page, **path)
        return answer or _page(request, shown, page, path, {}, 200)

    return view


def _submitted(
    request: HttpRequest,
    shown: PortalPage,
    page: PortalPageRequest,
    path: dict[str, Any],
) -> HttpResponseBase:
    """Answer the form; a refusal keeps what was typed and says why."""
    try:
        result = shown.submit(page, **path)
    except (NotFound, PermissionRefused):
        raise
    except DomainError as error:
        told = {"error": error.detail, "error_field": error.field, "form": page.form}
        return _page(request, shown, page, path, told, 422)
    if isinstance(result, Done):
        if result.message:
            messages.success(request, result.message)
        return redirect(result.url or request.path)
    if isinstance(result, dict):
        return _page(request, shown, page, path, result, 422)
    return result


def _page(
    request: HttpRequest,
    shown: PortalPage,
    page: PortalPageRequest,
    path: dict[str, Any],
    extra: dict[str, Any],
    status: int,
) -> HttpResponseBase:
    context = {
        **shell(page, shown.menu),
        "title": shown.title,
        **shown.context(page, **path),
        **extra,
    }
    return render(request, shown.template, context, status=status)
