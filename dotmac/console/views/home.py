"""The first page: what needs you, how things stand."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.ops import operations as ops
from dotmac.console.access import staff_view, tell_refusal
from dotmac.console.fragments import answer
from dotmac.core.console import HomeContribution, Page, registry
from dotmac.core.errors import DomainError


@require_safe
@staff_view
def home(request: HttpRequest, page: Page) -> HttpResponseBase:
    """Two figures, the queue, and the first steps of a new installation."""
    parts = _allowed(page)
    needs = [n for part in parts if part.needs for n in part.needs(page) if n.count]
    steps = [s for part in parts if part.first_steps for s in part.first_steps(page)]
    left = [step for step in steps if not step[2]]
    context = {
        "needs": sorted(needs, key=lambda need: need.tone != "bad"),
        "steps": steps if left else [],
        "steps_left": len(left),
        "panels": [
            panel
            for part in parts
            if part.panels
            for panel in part.panels(page)
            if page.may(panel.permission)
        ],
        "poll_s": 15,
    }
    return answer(request, "console/home.html", "console/home_body.html", context)


def _allowed(page: Page) -> list[HomeContribution]:
    parts = [part for part in registry.home.values() if page.may(part.permission)]
    return sorted(parts, key=lambda part: part.order)


@require_POST
@staff_view
def business_date(request: HttpRequest, page: Page) -> HttpResponseBase:
    """Move the business date of a demonstration installation forward."""
    if not settings.DEMO:
        raise Http404
    page.actor.require("ops.set_business_date")
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
        ops.set_business_date(day=day, actor=page.actor, now=page.now)
    except ValueError:
        messages.error(request, _("Choose a date. Nothing was changed."))
    except DomainError as error:
        tell_refusal(request, error)
    else:
        messages.success(request, _("The business date is now %s.") % day.isoformat())
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    path = request.POST.get("back", "")
    safe = path.startswith("/console/") and "\\" not in path
    return path if safe else "/console/"
