"""The frame in which the apps' portal pages stand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dotmac.core.console.page import Done
from dotmac.core.errors import DomainError, NotFound, PermissionRefused
from dotmac.core.portal import PortalPage, PortalPageRequest, Shown
from dotmac.portal.access import View, customer_view
from dotmac.portal.look import refused
from dotmac.portal.navigation import shell


def view_of(shown: PortalPage) -> View:
    """A Django view around one declared page."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @customer_view
    def view(
        request: HttpRequest, page: PortalPageRequest, **path: Any
    ) -> HttpResponseBase:
        if page.looking is not None and not shown.only_shows:
            return refused(request)
        if request.method == "POST":
            result = _submitted(shown, page, path)
            if isinstance(result, Shown):
                context, status = result.context, 200
            elif isinstance(result, dict):
                context, status = result, 422
            else:
                return _gone_on(request, result)
        else:
            answer = shown.respond(page, **path)
            if answer is not None:
                return answer
            context, status = {}, 200
        frame = {**shell(page, shown.menu), "title": shown.title}
        whole = {**frame, **shown.context(page, **path), **context}
        return render(request, shown.template, whole, status=status)

    return view


def _submitted(
    shown: PortalPage, page: PortalPageRequest, path: dict[str, Any]
) -> Done | HttpResponseBase | Shown | dict[str, Any]:
    """Answer the form; a refusal keeps what was typed and says why."""
    try:
        return shown.submit(page, **path)
    except (NotFound, PermissionRefused):
        raise
    except DomainError as error:
        return {"error": _(error.detail), "error_field": error.field, "form": page.form}


def _gone_on(request: HttpRequest, result: Done | HttpResponseBase) -> HttpResponseBase:
    if not isinstance(result, Done):
        return result
    if result.message:
        messages.success(request, result.message)
    return redirect(result.url or request.path)
