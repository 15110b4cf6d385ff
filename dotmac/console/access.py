"""The one door of the console: who comes in, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.ops import selectors as ops
from dotmac.core import denials
from dotmac.core.actors import ActorKind
from dotmac.core.console import Page
from dotmac.core.console.confirm import confirm_first
from dotmac.core.errors import (
    DomainError,
    NotFound,
    PermissionRefused,
    StepUpRequired,
)

View = Callable[..., HttpResponseBase]


def page_of(request: HttpRequest) -> Page | None:
    """The page context of a signed-in member of staff, else None."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.kind != ActorKind.STAFF:
        return None
    now = timezone.now()
    return Page(
        actor=actor,
        now=now,
        today=ops.business_date(now=now),
        query=request.GET,
        path=request.path,
    )


def staff_view(view: View) -> View:
    """Let staff in; others go to the sign-in page, refusals to their own page.

    What is dangerous asks for the second factor first.
    """

    @wraps(view)
    @never_cache
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        page = page_of(request)
        if page is None:
            return sign_in_first(request)
        request.page = page  # type: ignore[attr-defined]
        try:
            return view(request, page, *args, **kwargs)
        except StepUpRequired:
            return confirm_first(request, base="console/base.html")
        except PermissionRefused as refusal:
            denials.note(refusal, request)
            return refused(request, refusal)
        except NotFound as missing:
            raise Http404 from missing

    return guarded


def sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back; a background refresh gets told instead."""
    target = f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return redirect(target)


def refused(request: HttpRequest, refusal: PermissionRefused) -> HttpResponse:
    """The 403 page names what is missing, or why a rule refuses it now."""
    permission = refusal.facts.get("permission", "")
    context = {"permission": permission, "rule": refusal.facts.get("rule", "")}
    if context["rule"]:
        context["why"] = refusal.detail
    elif not permission:
        context["reason"] = refusal_text(refusal)
    return render(request, "403.html", context, status=403)


def tell_refusal(request: HttpRequest, error: DomainError) -> None:
    """A refusal as a message: what was refused and that nothing changed."""
    messages.error(request, refusal_text(error))


def refusal_text(error: DomainError) -> str:
    return _("%(detail)s Nothing was changed.") % {"detail": sentence(error.detail)}


def sentence(text: str) -> str:
    stripped = str(text).strip()
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."
