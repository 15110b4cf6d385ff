"""Signing in and out by browser, and proving oneself again."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.federation.selectors import ways_in
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionFace, SessionStage
from dotmac.core.errors import DomainError
from dotmac.gateway import federation, links, passkeys, provider
from dotmac.gateway.authentication import COOKIE_KEYS
from dotmac.gateway.door import (
    CONSOLE,
    PORTAL,
    CodeForm,
    Door,
    SignInForm,
    client_of,
    guarded,
    page,
    refused,
    remember,
    target,
)

__all__ = ["CONSOLE", "PORTAL", "sign_out", "urlpatterns"]


@guarded
def sign_in(request: Any, door: Door) -> HttpResponse:
    """Name and password; a second factor is asked next where there is one."""
    if request.actor is not None:
        return redirect(target(request, door))
    form = SignInForm(request.POST or None)
    context = {
        "form": form,
        "title": _("Sign in"),
        "submit": _("Sign in"),
        "portal": door.face == SessionFace.PORTAL,
        "ways": ways_in(door.face),
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, door, "sign_in", context)
    try:
        signed_in = identity.sign_in(
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
            face=door.face,
            **client_of(request),
        )
    except DomainError as error:
        return refused(request, door, "sign_in", context, error)
    remember(request, door, signed_in.session.pk)
    if signed_in.session.stage == SessionStage.PASSWORD:
        return redirect(door.url("sign-in/code", next=target(request, door)))
    return redirect(target(request, door))


@guarded
def code(request: Any, door: Door) -> HttpResponse:
    """The second factor that completes the sign-in."""
    row = request.session_row
    if request.actor is not None:
        return redirect(target(request, door))
    if row is None or row.stage != SessionStage.PASSWORD:
        return redirect(door.url("sign-in", next=target(request, door)))
    form = CodeForm(request.POST or None)
    context = {
        "form": form,
        "title": _("One more step"),
        "submit": _("Sign in"),
        "factors": selectors.factors_of(row.user_id),
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, door, "code", context)
    try:
        identity.confirm_code(
            session_id=row.pk, otp=form.cleaned_data["otp"], **client_of(request)
        )
    except DomainError as error:
        return refused(request, door, "code", context, error)
    request.session.cycle_key()
    return redirect(target(request, door))


@guarded
def step_up(request: Any, door: Door) -> HttpResponse:
    """The second factor again, then back to where the person was."""
    if request.actor is None:
        return redirect(door.url("sign-in", next=target(request, door)))
    form = CodeForm(request.POST or None)
    context = {
        "form": form,
        "title": _("Confirm that it is you"),
        "submit": _("Confirm"),
        "again": True,
        "factors": selectors.factors_of(request.actor.id),
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, door, "code", context)
    try:
        identity.step_up(
            session_id=request.session_row.pk,
            otp=form.cleaned_data["otp"],
            **client_of(request),
        )
    except DomainError as error:
        return refused(request, door, "code", context, error)
    request.session.cycle_key()
    return redirect(target(request, door))


@guarded
def recovery_codes(request: Any, door: Door) -> HttpResponse:
    """Ten codes for the day without the telephone: made by POST, shown once."""
    actor = request.actor
    if actor is None:
        return redirect(door.url("sign-in", next=request.path))
    if not actor.circumstances.mfa_is_fresh:
        return redirect(door.url("step-up", next=request.path))
    codes: list[str] = []
    if request.method == "POST":
        codes = identity.make_recovery_codes(
            user_id=actor.id, actor=actor, now=timezone.now()
        )
    context = {
        "title": _("Recovery codes"),
        "codes": codes,
        "factors": selectors.factors_of(actor.id),
        "user": request.user,
    }
    return page(request, door, "recovery_codes", context)


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


def _both(route: str, view: Any, name: str) -> list[Any]:
    """The same page behind both doors."""
    return [
        path(
            f"{door.root[1:]}{route}", view, {"door": door}, name=f"{door.face}-{name}"
        )
        for door in (CONSOLE, PORTAL)
    ]


urlpatterns = [
    *_both("sign-in", sign_in, "sign-in"),
    *_both("sign-in/code", code, "code"),
    *_both("sign-out", sign_out, "sign-out"),
    *_both("step-up", step_up, "step-up"),
    *_both("recovery-codes", recovery_codes, "recovery-codes"),
    *_both("passkey/begin", passkeys.begin, "passkey-begin"),
    *_both("passkey/finish", passkeys.finish, "passkey-finish"),
    *_both("federation/<slug:slug>/begin", federation.begin, "federation-begin"),
    *_both(
        "federation/<slug:slug>/callback", federation.come_back, "federation-callback"
    ),
    *_both("federation/<slug:slug>/acs", federation.consume, "federation-acs"),
    *_both("federation/<slug:slug>/finish", federation.come_back, "federation-finish"),
    *_both("federation/<slug:slug>/metadata", federation.metadata, "federation-saml"),
    path("console/authorize", provider.authorize, name="oidc-authorize"),
    path("console/end-session", provider.end_session, name="oidc-end-session"),
    path("oidc/token", provider.token, name="oidc-token"),
    path("oidc/userinfo", provider.userinfo, name="oidc-userinfo"),
    path("oidc/revoke", provider.revoke, name="oidc-revoke"),
    *_both("reset", links.ask_reset, "ask-reset"),
    *_both("reset/<str:token>", links.reset, "reset"),
    *_both("confirm-email/<str:token>", links.confirm_email, "confirm-email"),
    path("console/invitation/<str:token>", links.invitation, name="console-invitation"),
    path("console/enrolment", links.enrolment, name="console-enrolment"),
    path("portal/invitation/<str:token>", links.join_portal, name="portal-invitation"),
    path(
        "portal/invitation/account/<str:token>",
        links.join_account,
        name="portal-account-invitation",
    ),
]
