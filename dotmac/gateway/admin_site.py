"""The stock Django admin behind the console's door: superusers with MFA only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from dotmac.gateway.doors import CONSOLE, sign_out


class DotMacAdminSite(AdminSite):
    """Has no sign-in of its own: a password alone opens nothing here."""

    site_header = _("DotMac administration")
    site_title = _("DotMac administration")
    index_title = _("Tables")
    site_url = "/console/"

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
