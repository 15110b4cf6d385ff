"""What the doors of console and portal share: their look, forms and answers.

A door keeps one number in Django's session: the key of the Session row. The
row says how far the person got; ActorMiddleware reads it on each request. All
pages work without JavaScript; passkeys need it, and are offered only with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import select_template
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.identity import operations as identity
from apps.identity.enums import SessionEnd, SessionFace
from dotmac.core.errors import DomainError
from dotmac.gateway.authentication import COOKIE_KEYS

CODE_CHARACTERS_MAX = 24
_PASSWORD = {"autocomplete": "current-password"}
_NEW_PASSWORD = {"autocomplete": "new-password"}
_CODE = {"autocomplete": "one-time-code", "autocapitalize": "none", "autofocus": True}


@dataclass(frozen=True, slots=True)
class Door:
    """One face of the site, with its root and its look."""

    face: SessionFace
    root: str
    base: str

    def url(self, name: str, **query: str) -> str:
        return f"{self.root}{name}" + (f"?{urlencode(query)}" if query else "")


CONSOLE = Door(SessionFace.CONSOLE, "/console/", "console/bare.html")
PORTAL = Door(SessionFace.PORTAL, "/portal/", "portal/bare.html")


class SignInForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Name or e-mail address"),
        max_length=254,
        widget=forms.TextInput(
            {
                "autocomplete": "username webauthn",
                "autocapitalize": "none",
                "autofocus": True,
            }
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(_PASSWORD),
    )


class CodeForm(forms.Form):
    otp = forms.CharField(
        label=gettext_lazy("One-time code"),
        max_length=CODE_CHARACTERS_MAX,
        help_text=gettext_lazy(
            "Six digits from your authenticator, or one of your recovery codes."
        ),
        widget=forms.TextInput(_CODE),
    )


class NameForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Name or e-mail address"),
        max_length=254,
        widget=forms.TextInput(
            {"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(_NEW_PASSWORD),
    )
    again = forms.CharField(
        label=gettext_lazy("The same again"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(_NEW_PASSWORD),
    )

    def __init__(self, *args: Any, characters_min: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = (
            _("At least %s characters; a sentence is good.") % characters_min
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") != values.get("again"):
            raise forms.ValidationError(_("The two passwords differ."))
        return values


def guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Never cached, secrets kept out of error reports, GET and POST only."""
    hidden = sensitive_post_parameters("password", "again", "otp")(view)
    return require_http_methods(["GET", "HEAD", "POST"])(never_cache(hidden))


def client_of(request: Any) -> dict[str, Any]:
    """Where the request comes from, and when, as operations ask for it."""
    return {
        "address": request.client_address,
        "device": request.headers.get("User-Agent", ""),
        "now": timezone.now(),
    }


def remember(request: Any, door: Door, session_id: int) -> None:
    """A fresh cookie for the new row; the row before it ends."""
    if request.session_row is not None:
        identity.end_session(
            session_id=request.session_row.pk,
            reason=SessionEnd.REPLACED,
            now=timezone.now(),
        )
    request.session.cycle_key()
    request.session[COOKIE_KEYS[door.face]] = session_id


def target(request: HttpRequest, door: Door) -> str:
    """Where the person wanted to go, if that is behind this door (or the admin)."""
    wanted = request.GET.get("next", "")
    roots = (door.root, settings.ADMIN_ROOT)
    here = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    return wanted if here and wanted.startswith(roots) else door.root


def refused(
    request: HttpRequest, door: Door, name: str, context: Any, error: DomainError
) -> HttpResponse:
    """The page again, with the refusal beside its field."""
    form: forms.Form = context["form"]
    field = error.field if error.field in form.fields else None
    form.add_error(field, _(error.detail))
    response = page(request, door, name, context, status=error.status)
    if "retry_after_s" in error.facts:
        response["Retry-After"] = str(error.facts["retry_after_s"])
    return response


def page(
    request: HttpRequest, door: Door, name: str, context: Any, *, status: int = 200
) -> HttpResponse:
    """A page in the look of the door."""
    base = select_template([door.base, CONSOLE.base])
    bound = {**context, "base": base, "door": door, "next": target(request, door)}
    form = context.get("form")
    if status == 200 and form is not None and form.is_bound:
        status = 400
    return render(request, f"gateway/{name}.html", bound, status=status)
