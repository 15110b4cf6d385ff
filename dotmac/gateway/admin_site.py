"""The stock Django admin behind the console's door: superusers with MFA only."""

from __future__ import annotations

from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from dotmac.core.console.confirm import confirm_first
from dotmac.gateway.door import CONSOLE
from dotmac.gateway.doors import sign_out


class DotMacAdminSite(AdminSite):
    """Has no sign-in of its own: a password alone opens nothing here."""

    site_header = _("DotMac administration")
    site_title = _("DotMac administration")
    index_title = _("Tables")
    site_url = "/console/"

    def admin_view(self, view: Any, *args: Any, **kwargs: Any) -> Any:
        """Whatever changes something here asks for a fresh second factor."""
        inner = super().admin_view(view, *args, **kwargs)

        @wraps(inner)
        def fresh(request: HttpRequest, *path: Any, **named: Any) -> HttpResponseBase:
            actor: Any = getattr(request, "actor", None)
            changes = request.method == "POST" and not request.path.endswith("/logout/")
            stale = actor is not None and not actor.circumstances.mfa_is_fresh
            if changes and stale and self.has_permission(request):
                return confirm_first(request, base="console/bare.html")
            answer: HttpResponseBase = inner(request, *path, **named)
            return answer

        return fresh

    def has_permission(self, request: HttpRequest) -> bool:
        row: Any = getattr(request, "session_row", None)
        if row is None or getattr(request, "actor", None) is None:
            return False
        return row.mfa_at is not None and bool(row.user.is_superuser)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the console's sign-in and back; the wrong person goes to the console."""
        if getattr(request, "actor", None) is not None:
            return redirect(CONSOLE.root)
        wanted = request.GET.get("next", settings.ADMIN_ROOT)
        return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': wanted})}")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Passwords change by operations, which end the sessions behind them."""
        raise Http404

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return sign_out(request, CONSOLE)
