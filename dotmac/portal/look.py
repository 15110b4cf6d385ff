"""The portal as a customer sees it, read by staff under /console/look/.

The pages are the customer's own, mounted a second time below the console, so
that the staff member's session opens them and no session of the customer is
needed. Nothing can be done there: only reading methods pass, and the database
transaction is read-only, whatever a page may try.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import InternalError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import include, path
from django.utils import timezone

from apps.identity import selectors as identity
from apps.ops import selectors as ops
from dotmac.core.portal import PortalLooking, PortalPageRequest

PREFIX = "/console/look/"
READING = frozenset({"GET", "HEAD"})


class LookAddresses:
    """The site's addresses with the portal below PREFIX: Django takes any object."""

    def __init__(self) -> None:
        site = import_module(settings.ROOT_URLCONF)
        self.urlpatterns = [
            path(PREFIX.lstrip("/"), include("dotmac.portal.urls")),
            *(p for p in site.urlpatterns if getattr(p, "namespace", "") != "portal"),
        ]
        for name in ("handler403", "handler404", "handler500"):
            setattr(self, name, getattr(site, name))


@cache
def addresses() -> LookAddresses:
    """Built once, when the first member of staff looks."""
    return LookAddresses()


class LookMiddleware:
    """Requests below PREFIX find the portal's pages there, links included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PREFIX):
            # Django types it as a module's name; its resolver takes an object, too.
            request.urlconf = addresses()  # type: ignore[assignment]
        return self.get_response(request)


def looking_page(request: HttpRequest) -> PortalPageRequest | None:
    """The page context of a member of staff who looks, else None."""
    actor = getattr(request, "actor", None)
    now = timezone.now()
    look = identity.open_look(actor, now=now) if actor is not None else None
    if look is None:
        return None
    return PortalPageRequest(
        actor=identity.actor_who_looks(look),
        now=now,
        today=ops.business_date(now=now),
        query=request.GET,
        path=request.path,
        customer_id=look.customer_id,
        form={},
        looking=PortalLooking(
            reference=look.customer.reference,
            ends_at=look.ends_at,
            end_url=f"/console/customers/{look.customer_id}/end-look",
        ),
    )


def shown_only(
    request: HttpRequest, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """The view's answer, from a transaction that writes nothing."""
    if request.method not in READING:
        return refused(request)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            answer = view()
            # Nothing was written; rolling back also ends the read-only mode where
            # a transaction was open around this one.
            transaction.set_rollback(True)
    except InternalError:
        return refused(request)
    return answer


def refused(request: HttpRequest, **_path: Any) -> HttpResponse:
    """Looking is all that is allowed."""
    return render(request, "portal/look_refused.html", {}, status=403)
