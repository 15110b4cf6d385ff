"""Home, help, the choice of a customer, and numbers for graphs."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from dotmac.core import portal
from dotmac.core.console.tags import chart_json
from dotmac.core.portal import PortalPageRequest
from dotmac.portal.access import CHOICE_KEY, customer_ids_of, customer_view
from dotmac.portal.navigation import shell

DIGITS_MAX = 18


@require_safe
@customer_view
def home(request: HttpRequest, page: PortalPageRequest) -> HttpResponseBase:
    """What is owed, whether the line works, what was used, the last bills."""
    cards = []
    for card in portal.cards():
        context = card.context(page)
        if context is not None:
            context = {**context, "page": page}
            cards.append(render_to_string(card.template, context, request))
    context = {**shell(page, "home"), "cards": cards}
    return render(request, "portal/home.html", context)


@require_safe
@customer_view
def help_(request: HttpRequest, page: PortalPageRequest) -> HttpResponseBase:
    return render(request, "portal/help.html", shell(page, "help"))


@require_POST
@customer_view
def choose(request: HttpRequest, page: PortalPageRequest) -> HttpResponseBase:
    """Look at another customer that this person acts for."""
    text = request.POST.get("customer", "")
    wanted = int(text) if text.isdecimal() and len(text) <= DIGITS_MAX else 0
    if wanted not in customer_ids_of(page.actor):
        raise Http404
    request.session[CHOICE_KEY] = wanted
    return redirect("portal:home")


@require_safe
@customer_view
def series(
    request: HttpRequest, page: PortalPageRequest, name: str
) -> HttpResponseBase:
    """Numbers of a graph, at most 1,000 points."""
    found = portal.find_series(name)
    chart = found.chart(page) if found is not None else None
    if chart is None:
        raise Http404
    return HttpResponse(chart_json(chart), content_type="application/json")
