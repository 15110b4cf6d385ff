"""One record: header, tabs, actions, series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from dotmac.console.access import staff_view, tell_refusal
from dotmac.console.forms import bind, explain
from dotmac.console.fragments import answer
from dotmac.console.views.screens import allowed_buttons
from dotmac.core.console import (
    Action,
    DetailScreen,
    Done,
    ListScreen,
    Page,
    Panel,
    Tab,
    action_url,
    detail_url,
    list_url,
    registry,
)
from dotmac.core.console.tags import chart_json
from dotmac.core.errors import DomainError


@require_safe
@staff_view
def detail(request: HttpRequest, page: Page, slug: str, pk: int) -> HttpResponseBase:
    """The record, or 404 when it is not there or not this person's to see."""
    screen = registry.details.get(slug)
    if screen is None:
        raise Http404
    page.actor.require(screen.permission)
    row = _row(screen, page, screen.permission, pk)
    tabs = _tabs(screen, page)
    tab = _open_tab(tabs, page.query.get("tab", ""))
    context = {
        "screen": screen,
        "row": row,
        "heading": screen.heading(row),
        "subheading": screen.subheading(row, page),
        "state": screen.state(row, page),
        "facts": screen.facts(row, page),
        "tiles": screen.tiles(row, page),
        "tabs": tabs,
        "tab": tab,
        "panels": _panels(screen, tab, row, page),
        "aside": [p for p in screen.aside(row, page) if page.may(p.permission)],
        "links": allowed_buttons(screen.links(row, page), page),
        "actions": _actions(screen, row, page),
        "poll_s": screen.polls(row),
        "parent": registry.lists.get(slug),
    }
    return answer(request, "console/detail.html", "console/detail_body.html", context)


def _row(screen: DetailScreen | ListScreen, page: Page, permission: str, pk: int) -> Any:
    row = screen.rows(page.actor, permission).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _tabs(screen: DetailScreen, page: Page) -> list[Tab]:
    allowed = [tab for tab in screen.all_tabs() if page.may(tab.permission)]
    return sorted(allowed, key=lambda tab: tab.order)


def _open_tab(tabs: Sequence[Tab], slug: str) -> Tab | None:
    named = [tab for tab in tabs if tab.slug == slug]
    if named or not tabs:
        return named[0] if named else None
    return tabs[0]


def _panels(screen: DetailScreen, tab: Tab | None, row: Any, page: Page) -> list[Panel]:
    if tab is None:
        return []
    build = getattr(screen, tab.build) if isinstance(tab.build, str) else tab.build
    return [panel for panel in build(row, page) if page.may(panel.permission)]


def _actions(screen: DetailScreen, row: Any, page: Page) -> list[dict[str, Any]]:
    allowed = [
        action
        for action in sorted(screen.all_actions(), key=lambda each: each.order)
        if page.may(action.permission) and (action.shown is None or action.shown(row))
    ]
    return [
        {
            "action": action,
            "url": action_url(screen.slug, row.pk, action.slug),
            "asks": bool(action.form or action.confirm),
        }
        for action in allowed
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view
def action(
    request: HttpRequest, page: Page, slug: str, pk: int, name: str
) -> HttpResponseBase:
    """Ask, then do: one operation on one row, always by POST."""
    screen, found = _find_action(slug, name)
    page.actor.require(found.permission)
    row = _row(screen, page, found.permission, pk)
    home = _home_of(screen, row)
    if request.method != "POST" or "ask" in request.POST:
        return _ask(request, page, screen, found, row, home)
    if found.form is None:
        return _run_plain(request, page, found, row, home)
    return _run_form(request, page, screen, found, row, home)


def _find_action(slug: str, name: str) -> tuple[DetailScreen | ListScreen, Action]:
    detail_screen, list_screen = registry.details.get(slug), registry.lists.get(slug)
    if detail_screen is not None:
        for each in detail_screen.all_actions():
            if each.slug == name:
                return detail_screen, each
    if list_screen is not None:
        for each in list_screen.actions:
            if each.slug == name:
                return list_screen, each
    raise Http404


def _home_of(screen: DetailScreen | ListScreen, row: Any) -> str:
    if isinstance(screen, DetailScreen):
        return detail_url(screen.slug, row.pk)
    return list_url(screen.slug)


def _ask(
    request: HttpRequest,
    page: Page,
    screen: DetailScreen | ListScreen,
    found: Action,
    row: Any,
    home: str,
    form: Any = None,
) -> HttpResponse:
    if form is None and found.form is not None:
        initial = found.initial(row, page) if found.initial else {}
        form = bind(found.form, request, page=page, row=row, initial=initial)
    confirm = found.confirm(row, page) if callable(found.confirm) else found.confirm
    heading = screen.heading(row) if isinstance(screen, DetailScreen) else str(row)
    context = {
        "screen": screen,
        "action": found,
        "row": row,
        "heading": heading,
        "confirm": confirm,
        "form": form,
        "home": home,
        "parent": registry.lists.get(screen.slug),
        "title": found.label,
    }
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, "console/action.html", context, status=status)


def _run_plain(
    request: HttpRequest, page: Page, found: Action, row: Any, home: str
) -> HttpResponse:
    try:
        done = found.run(row, {}, page)
    except DomainError as error:
        tell_refusal(request, error)
        return redirect(home)
    return _finish(request, found, done, home)


def _run_form(
    request: HttpRequest,
    page: Page,
    screen: DetailScreen | ListScreen,
    found: Action,
    row: Any,
    home: str,
) -> HttpResponse:
    assert found.form is not None
    initial = found.initial(row, page) if found.initial else {}
    form = bind(found.form, request, page=page, row=row, initial=initial)
    if form.is_valid():
        try:
            done = found.run(row, form.cleaned_data, page)
        except DomainError as error:
            explain(form, error)
        else:
            return _finish(request, found, done, home)
    return _ask(request, page, screen, found, row, home, form)


def _finish(
    request: HttpRequest, found: Action, done: Done | str | None, home: str
) -> HttpResponse:
    answer_ = done if isinstance(done, Done) else Done(str(done or ""))
    message = answer_.message or found.success
    if message:
        messages.success(request, message)
    return redirect(answer_.url or home)


@require_safe
@staff_view
def series(
    request: HttpRequest, page: Page, slug: str, pk: int, name: str
) -> HttpResponseBase:
    """Numbers of a chart: columns for the drawing, at most 1,000 points."""
    screen = registry.details.get(slug)
    if screen is None:
        raise Http404
    page.actor.require(screen.permission)
    row = _row(screen, page, screen.permission, pk)
    found = screen.series(name, row, page)
    if found is None:
        raise Http404
    return HttpResponse(chart_json(found), content_type="application/json")
