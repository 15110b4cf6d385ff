"""Signing in and out by browser: the doors of the console and the portal.

A door keeps one number in Django's session: the key of the Session row. The
row says how far the person got; ActorMiddleware reads it on each request. All
pages work without JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import segno
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import select_template
from django.urls import path
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionEnd, SessionFace, SessionStage
from dotmac.core.errors import DomainError
from dotmac.gateway.authentication import COOKIE_KEYS

_PASSWORD = {"autocomplete": "current-password"}
_NEW_PASSWORD = {"autocomplete": "new-password"}
_CODE = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "autofocus": True,
}


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
            {"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
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
        max_length=16,
        help_text=gettext_lazy("Six digits from your authenticator."),
        widget=forms.TextInput(_CODE),
    )


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=1024,
        strip=False,
        help_text=gettext_lazy("At least 12 characters; a sentence is good."),
        widget=forms.PasswordInput(_NEW_PASSWORD),
    )
    again = forms.CharField(
        label=gettext_lazy("The same again"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(_NEW_PASSWORD),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") != values.get("again"):
            raise forms.ValidationError(_("The two passwords differ."))
        return values


def _guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Never cached, secrets kept out of error reports, GET and POST only."""
    hidden = sensitive_post_parameters("password", "again", "otp")(view)
    return require_http_methods(["GET", "HEAD", "POST"])(never_cache(hidden))


@_guarded
def sign_in(request: Any, door: Door) -> HttpResponse:
    """Name and password; a code is asked next where there is an authenticator."""
    if request.actor is not None:
        return redirect(_target(request, door))
    form = SignInForm(request.POST or None)
    context = {
        "form": form,
        "title": _("Sign in"),
        "submit": _("Sign in"),
        "portal": door.face == SessionFace.PORTAL,
    }
    if request.method != "POST" or not form.is_valid():
        return _page(request, door, "sign_in", context)
    try:
        signed_in = identity.sign_in(
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
            face=door.face,
            **_client(request),
        )
    except DomainError as error:
        return _refused(request, door, "sign_in", context, error)
    _remember(request, door, signed_in.session.pk)
    if signed_in.session.stage == SessionStage.PASSWORD:
        return redirect(door.url("sign-in/code", next=_target(request, door)))
    return redirect(_target(request, door))


@_guarded
def code(request: Any, door: Door) -> HttpResponse:
    """The one-time code that completes the sign-in."""
    row = request.session_row
    if request.actor is not None:
        return redirect(_target(request, door))
    if row is None or row.stage != SessionStage.PASSWORD:
        return redirect(door.url("sign-in", next=_target(request, door)))
    form = CodeForm(request.POST or None)
    context = {"form": form, "title": _("One more step"), "submit": _("Sign in")}
    if request.method != "POST" or not form.is_valid():
        return _page(request, door, "code", context)
    try:
        identity.confirm_code(
            session_id=row.pk, otp=form.cleaned_data["otp"], **_client(request)
        )
    except DomainError as error:
        return _refused(request, door, "code", context, error)
    request.session.cycle_key()
    return redirect(_target(request, door))


@_guarded
def invitation(request: Any, token: str) -> HttpResponse:
    """The one-time link: choose a password, then set up the authenticator."""
    now = timezone.now()
    user = selectors.invited_user(token=token, now=now)
    if user is None:
        over = {"title": _("This link does not work any more")}
        return _page(request, CONSOLE, "invitation_over", over, status=404)
    form = PasswordForm(request.POST or None)
    context: dict[str, Any] = {
        "form": form,
        "title": _("Welcome, %s") % user.name,
        "username": user.username,
        "submit": _("Continue"),
    }
    if request.method != "POST" or not form.is_valid():
        return _page(request, CONSOLE, "invitation", context)
    try:
        session = identity.accept_invitation(
            token=token, password=form.cleaned_data["password"], **_client(request)
        )
    except DomainError as error:
        return _refused(request, CONSOLE, "invitation", context, error)
    _remember(request, CONSOLE, session.pk)
    return redirect(CONSOLE.url("enrolment"))


@_guarded
def enrolment(request: Any) -> HttpResponse:
    """Scan the picture, type the first code."""
    row = request.session_row
    if row is None or row.stage != SessionStage.ENROLMENT:
        return redirect(CONSOLE.url("sign-in"))
    now = timezone.now()
    seed = identity.enrol_totp(session_id=row.pk, now=now)
    form = CodeForm(request.POST or None)
    context = {
        "form": form,
        "title": _("Set up your authenticator"),
        "submit": _("Confirm"),
        "picture": segno.make(seed.uri, error="m").svg_data_uri(scale=5, border=3),
        "secret": seed.secret,
    }
    if request.method != "POST" or not form.is_valid():
        return _page(request, CONSOLE, "enrolment", context)
    try:
        identity.confirm_totp(session_id=row.pk, otp=form.cleaned_data["otp"], now=now)
    except DomainError as error:
        return _refused(request, CONSOLE, "enrolment", context, error)
    request.session.cycle_key()
    return redirect(CONSOLE.root)


@never_cache
@require_POST
def sign_out(request: Any, door: Door) -> HttpResponse:
    """End the session; harmless for those who are not signed in."""
    if request.session_row is not None:
        identity.end_session(session_id=request.session_row.pk, now=timezone.now())
    request.session.pop(COOKIE_KEYS[door.face], None)
    if not any(key in request.session for key in COOKIE_KEYS.values()):
        request.session.flush()
    return redirect(door.url("sign-in"))


def _client(request: Any) -> dict[str, Any]:
    return {
        "address": request.client_address,
        "device": request.headers.get("User-Agent", ""),
        "now": timezone.now(),
    }


def _remember(request: Any, door: Door, session_id: int) -> None:
    """A fresh cookie for the new row; the row before it ends."""
    if request.session_row is not None:
        identity.end_session(
            session_id=request.session_row.pk,
            reason=SessionEnd.REPLACED,
            now=timezone.now(),
        )
    request.session.cycle_key()
    request.session[COOKIE_KEYS[door.face]] = session_id


def _target(request: HttpRequest, door: Door) -> str:
    """Where the person wanted to go, if that is behind this door (or the admin)."""
    wanted = request.GET.get("next", "")
    roots = (door.root, settings.ADMIN_ROOT)
    here = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    return wanted if here and wanted.startswith(roots) else door.root


def _refused(
    request: HttpRequest, door: Door, name: str, context: Any, error: DomainError
) -> HttpResponse:
    form: forms.Form = context["form"]
    field = error.field if error.field in form.fields else None
    form.add_error(field, _(error.detail))
    response = _page(request, door, name, context, status=error.status)
    if "retry_after_s" in error.facts:
        response["Retry-After"] = str(error.facts["retry_after_s"])
    return response


def _page(
    request: HttpRequest, door: Door, name: str, context: Any, *, status: int = 200
) -> HttpResponse:
    base = select_template([door.base, CONSOLE.base])
    bound = {**context, "base": base}
    form = context.get("form")
    if status == 200 and form is not None and form.is_bound:
        status = 400
    return render(request, f"gateway/{name}.html", bound, status=status)


urlpatterns = [
    path("console/sign-in", sign_in, {"door": CONSOLE}, name="console-sign-in"),
    path("console/sign-in/code", code, {"door": CONSOLE}, name="console-code"),
    path("console/sign-out", sign_out, {"door": CONSOLE}, name="console-sign-out"),
    path("console/invitation/<str:token>", invitation, name="console-invitation"),
    path("console/enrolment", enrolment, name="console-enrolment"),
    path("portal/sign-in", sign_in, {"door": PORTAL}, name="portal-sign-in"),
    path("portal/sign-in/code", code, {"door": PORTAL}, name="portal-code"),
    path("portal/sign-out", sign_out, {"door": PORTAL}, name="portal-sign-out"),
]
