"""The door of the portal: which customer a signed-in person looks at."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from apps.ops import selectors as ops
from dotmac.core import denials
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound, PermissionRefused
from dotmac.core.portal import PortalPageRequest
from dotmac.portal.look import PREFIX, looking_page, shown_only

View = Callable[..., HttpResponseBase]
CHOICE_KEY = "portal_customer"


def customer_ids_of(actor: Actor) -> list[int]:
    """The customers that this person may act for, in order of their keys."""
    ids = {one for scope in actor.scopes.values() for one in scope.customer_ids}
    return sorted(ids)


def page_of(request: HttpRequest) -> PortalPageRequest | None:
    """The page context of a signed-in customer, else None."""
    actor = getattr(request, "actor", None)
    if actor is None or not actor.is_customer:
        return None
    mine = customer_ids_of(actor)
    if not mine:
        return None
    chosen = request.session.get(CHOICE_KEY)
    now = timezone.now()
    return PortalPageRequest(
        actor=actor,
        now=now,
        today=ops.business_date(now=now),
        query=request.GET,
        path=request.path,
        customer_id=chosen if chosen in mine else mine[0],
        form=request.POST,
        files=request.FILES,
    )


def customer_view(view: View) -> View:
    """Let customers in; others go to the sign-in page."""

    @wraps(view)
    @never_cache
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.path.startswith(PREFIX):
            seen = looking_page(request)
            if seen is None:
                return redirect("/console/")
            request.page = seen  # type: ignore[attr-defined]
            return shown_only(
                request, lambda: _or_404(view, request, seen, args, kwargs)
            )
        page = page_of(request)
        actor = getattr(request, "actor", None)
        if page is None and actor is not None and actor.is_customer:
            # Signed in, but taken off the last account.
            return render(request, "portal/no_account.html", status=403)
        if page is None:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{settings.PORTAL_LOGIN_URL}?{query}")
        request.page = page  # type: ignore[attr-defined]
        return _or_404(view, request, page, args, kwargs)

    return guarded


def _or_404(
    view: View, request: HttpRequest, page: PortalPageRequest, args: Any, path: Any
) -> HttpResponseBase:
    """What a customer may not see does not exist; refusals are remembered."""
    try:
        return view(request, page, *args, **path)
    except PermissionRefused as refusal:
        denials.note(refusal, request)
        raise Http404 from refusal
    except NotFound as missing:
        raise Http404 from missing
