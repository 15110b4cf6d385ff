"""One record: header, tabs, actions, series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from dotmac.console.access import staff_view, tell_refusal
from dotmac.console.forms import bind, explain
from dotmac.console.fragments import answer
from dotmac.console.views.screens import allowed_buttons, finish, go
from dotmac.core.console import (
    Action,
    ConsoleForm,
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


def _row(
    screen: DetailScreen | ListScreen, page: Page, permission: str, pk: int
) -> Any:
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


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that somebody asks for, with the row it is about."""

    screen: DetailScreen | ListScreen
    action: Action
    row: Any
    home: str


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view
def action(
    request: HttpRequest, page: Page, slug: str, pk: int, name: str
) -> HttpResponseBase:
    """Ask, then do: one operation on one row, always by POST."""
    screen, found = _find_action(slug, name)
    page.actor.require(found.permission)
    row = _row(screen, page, found.permission, pk)
    asked = Asked(screen, found, row, _home_of(screen, row))
    if request.method != "POST":
        return _ask(request, page, asked, _form(request, page, asked))
    if found.form is None:
        return _run_plain(request, page, asked)
    return _run_form(request, page, asked)


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


def _form(request: HttpRequest, page: Page, asked: Asked) -> ConsoleForm | None:
    if asked.action.form is None:
        return None
    initial = asked.action.initial(asked.row, page) if asked.action.initial else {}
    return bind(asked.action.form, request, page=page, row=asked.row, initial=initial)


def _ask(
    request: HttpRequest, page: Page, asked: Asked, form: ConsoleForm | None
) -> HttpResponse:
    confirm, shows = asked.action.confirm, asked.action.shows
    screen, row = asked.screen, asked.row
    context = {
        "screen": screen,
        "action": asked.action,
        "row": row,
        "heading": screen.heading(row) if isinstance(screen, DetailScreen) else row,
        "confirm": confirm(row, page) if callable(confirm) else confirm,
        "panels": shows(row, page) if shows is not None else (),
        "form": form,
        "home": asked.home,
        "parent": registry.lists.get(screen.slug),
    }
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, "console/action.html", context, status=status)


def _run_plain(request: HttpRequest, page: Page, asked: Asked) -> HttpResponseBase:
    try:
        done = asked.action.run(asked.row, {}, page)
    except DomainError as error:
        tell_refusal(request, error)
        return go(request, asked.home)
    return _finish(request, asked, done)


def _run_form(request: HttpRequest, page: Page, asked: Asked) -> HttpResponseBase:
    form = _form(request, page, asked)
    assert form is not None
    if form.is_valid():
        try:
            done = asked.action.run(asked.row, form.cleaned_data, page)
        except DomainError as error:
            explain(form, error)
        else:
            return _finish(request, asked, done)
    return _ask(request, page, asked, form)


def _finish(
    request: HttpRequest, asked: Asked, done: Done | HttpResponseBase | str | None
) -> HttpResponseBase:
    if isinstance(done, HttpResponseBase):
        return done
    result = done if isinstance(done, Done) else Done(str(done or ""))
    message = str(result.message or asked.action.success)
    title = asked.action.label
    return finish(request, replace(result, message=message), asked.home, title=title)


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
