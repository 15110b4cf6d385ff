"""Lists, pages and forms by slug."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from apps.ops import operations as ops
from dotmac.console.access import staff_view, tell_refusal
from dotmac.console.exports import export
from dotmac.console.forms import bind, explain
from dotmac.console.fragments import answer
from dotmac.console.lists import PAGE_SIZE, narrowed, page_of_list
from dotmac.core.console import (
    Action,
    Button,
    Done,
    FormScreen,
    ListScreen,
    Page,
    PageScreen,
    detail_url,
    list_url,
    registry,
)
from dotmac.core.errors import DomainError
from dotmac.core.refs import SubjectRef

EXPORTS = ("csv", "xlsx")
QUERY_MAX = 500
DIGITS_MAX = 18


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view
def screen(request: HttpRequest, page: Page, slug: str) -> HttpResponseBase:
    """The list, page or form of that slug; 404 when there is none."""
    slug = slug.rstrip("/")
    if slug in registry.lists:
        return _list(request, page, registry.lists[slug])
    if slug in registry.pages:
        return _page(request, page, registry.pages[slug])
    if slug in registry.forms:
        return _form(request, page, registry.forms[slug])
    raise Http404


def _list(request: HttpRequest, page: Page, shown: ListScreen) -> HttpResponseBase:
    page.actor.require(shown.permission)
    if request.method == "POST":
        return HttpResponse(status=405)
    listing = page_of_list(shown, page)
    context = {
        "screen": shown,
        "listing": listing,
        "tiles": shown.summary(page),
        "buttons": allowed_buttons(shown.buttons, page),
        "columns": shown.all_columns(page),
        "bulk_forms": _bulk_forms(shown, page),
        "row_actions": allowed_actions(list_actions(shown), page),
        "row_url": _row_url(shown, page),
        "poll_s": shown.poll_s,
    }
    return answer(request, "console/list.html", "console/list_body.html", context)


def _bulk_forms(shown: ListScreen, page: Page) -> list[dict[str, Any]]:
    return [
        {
            "action": each,
            "form": each.form(page=page),
            "url": reverse("console:bulk", args=(shown.slug, each.slug)),
        }
        for each in shown.bulk
        if page.may(each.permission)
    ]


@require_POST
@staff_view
def bulk(request: HttpRequest, page: Page, slug: str, name: str) -> HttpResponseBase:
    """One operation on the chosen rows: on all of them, or on none."""
    shown = registry.lists.get(slug)
    found = next((b for b in shown.bulk if b.slug == name), None) if shown else None
    if shown is None or found is None:
        raise Http404
    page.actor.require(found.permission)
    back = request.POST.get("back", "")[:QUERY_MAX]
    answer_at = f"{list_url(slug)}?{back}" if back else list_url(slug)
    chosen = request.POST.getlist("chosen")
    if not chosen or len(chosen) > PAGE_SIZE or not all(map(_is_key, chosen)):
        messages.error(request, _("Choose rows of this page first."))
        return redirect(answer_at)
    rows = list(shown.rows(page.actor, found.permission).filter(pk__in=chosen))
    if len(rows) != len(set(chosen)):
        raise Http404
    form = bind(found.form, request, page=page)
    if not form.is_valid():
        messages.error(
            request, " ".join(str(e) for each in form.errors.values() for e in each)
        )
        return redirect(answer_at)
    try:
        done = found.run(rows, form.cleaned_data, page)
    except DomainError as error:
        tell_refusal(request, error)
        return redirect(answer_at)
    if isinstance(done, str):
        done = Done(done)
    messages.success(request, done.message)
    return redirect(done.url or answer_at)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX


def _row_url(shown: ListScreen, page: Page) -> Any:
    """A callable for the template: where a row leads, or an empty text."""
    detail = registry.details.get(shown.slug)
    may_open = detail is not None and page.may(detail.permission)

    def url(row: Any) -> str:
        own = shown.row_url(row)
        if own is not None:
            return own
        return detail_url(shown.slug, row.pk) if may_open else ""

    url.do_not_call_in_templates = True  # type: ignore[attr-defined]
    return url


def _page(request: HttpRequest, page: Page, shown: PageScreen) -> HttpResponseBase:
    page.actor.require(shown.permission)
    if request.method == "POST":
        return HttpResponse(status=405)
    context = {
        "screen": shown,
        "panels": [p for p in shown.panels(page) if page.may(p.permission)],
        "tiles": shown.tiles(page),
        "buttons": allowed_buttons(shown.buttons, page),
        "poll_s": shown.poll_s,
    }
    return answer(request, "console/page.html", "console/page_body.html", context)


def _form(request: HttpRequest, page: Page, shown: FormScreen) -> HttpResponseBase:
    page.actor.require(shown.permission)
    initial = shown.initial(page)
    form = bind(shown.form, request, page=page, initial=initial)
    panels: Any = ()
    if request.method == "POST" and form.is_valid():
        try:
            if shown.previews and "preview" in request.POST:
                panels = shown.preview(form.cleaned_data, page)
            else:
                done = shown.run(form.cleaned_data, page)
                home = list_url(shown.slug.rsplit("/", 1)[0])
                return finish(request, done, home, title=shown.title)
        except DomainError as error:
            explain(form, error)
    context = {
        "screen": shown,
        "form": form,
        "panels": panels,
        "above": shown.above(page),
        "parent": _parent(shown),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "console/form.html", context, status=status)


def finish(request: HttpRequest, done: Done, home: str, *, title: Any) -> HttpResponse:
    """Say what happened and go on; what is shown once is shown first."""
    url = done.url or home
    if done.panels:
        context = {"title": title, "done": done, "panels": done.panels, "url": url}
        return render(request, "console/once.html", context)
    if done.message:
        messages.success(request, done.message)
    return go(request, url)


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect; inside a dialog htmx has to be told to leave the page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _parent(shown: FormScreen) -> ListScreen | None:
    return registry.lists.get(shown.slug.rsplit("/", 1)[0])


@require_safe
@staff_view
def export_list(
    request: HttpRequest, page: Page, slug: str, kind: str
) -> HttpResponseBase:
    """The list with its filters as a file; who took it is in the audit."""
    shown = registry.lists.get(slug)
    if shown is None or kind not in EXPORTS or not shown.export:
        raise Http404
    page.actor.require(shown.permission)
    rows, _listing = narrowed(shown, page)
    with transaction.atomic():
        ops.record(
            action=f"console.list.exported.{kind}",
            subject=SubjectRef("console", "list", 0, shown.slug),
            actor=page.actor,
            now=page.now,
            changes={"query": request.GET.urlencode()[:QUERY_MAX]},
        )
    return export(shown, rows, page, kind)


def allowed_buttons(buttons: Any, page: Page) -> list[Button]:
    return [button for button in buttons if page.may(button.permission)]


def list_actions(shown: ListScreen) -> list[Action]:
    return sorted(shown.actions, key=lambda action: action.order)


def allowed_actions(actions: Any, page: Page) -> list[Action]:
    return [action for action in actions if page.may(action.permission)]
