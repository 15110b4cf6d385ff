"""One-time links: invitations, new passwords, confirmed addresses.

Looking at a link does not use it up: mailboxes look at links for viruses.
"""

from __future__ import annotations

from typing import Any

import segno
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import LinkPurpose, SessionStage
from dotmac.core.errors import DomainError
from dotmac.gateway.door import (
    CONSOLE,
    PORTAL,
    CodeForm,
    Door,
    NameForm,
    PasswordForm,
    client_of,
    guarded,
    page,
    refused,
    remember,
)


@guarded
def invitation(request: Any, token: str) -> HttpResponse:
    """Staff: choose a password, then set up a second factor."""
    user = selectors.invited_user(token=token, now=timezone.now())
    if user is None:
        return _over(request, CONSOLE)
    form = _password_form(request, user)
    context = {
        "form": form,
        "title": _("Welcome, %s") % user.name,
        "username": user.sign_in_name,
        "submit": _("Continue"),
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, CONSOLE, "invitation", context)
    try:
        session = identity.accept_invitation(
            token=token, password=form.cleaned_data["password"], **client_of(request)
        )
    except DomainError as error:
        return refused(request, CONSOLE, "invitation", context, error)
    remember(request, CONSOLE, session.pk)
    return redirect(CONSOLE.url("enrolment"))


@guarded
def enrolment(request: Any) -> HttpResponse:
    """Scan the picture and type the first code, or make a passkey."""
    row = request.session_row
    if row is None or row.stage != SessionStage.ENROLMENT:
        return redirect(CONSOLE.url("sign-in"))
    now = timezone.now()
    seed = identity.enrol_totp(session_id=row.pk, now=now)
    form = CodeForm(request.POST or None)
    context = {
        "form": form,
        "title": _("Set up your second factor"),
        "submit": _("Confirm"),
        "picture": segno.make(seed.uri, error="m").svg_data_uri(scale=5, border=3),
        "secret": seed.secret,
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, CONSOLE, "enrolment", context)
    try:
        identity.confirm_totp(session_id=row.pk, otp=form.cleaned_data["otp"], now=now)
    except DomainError as error:
        return refused(request, CONSOLE, "enrolment", context, error)
    request.session.cycle_key()
    return redirect(CONSOLE.url("recovery-codes"))


@guarded
def join_portal(request: Any, token: str) -> HttpResponse:
    """Customers: choose a password; then they sign in with it."""
    return _new_password(
        request,
        PORTAL,
        token,
        LinkPurpose.JOIN_PORTAL,
        identity.accept_portal_invitation,
    )


@guarded
def join_account(request: Any, token: str) -> HttpResponse:
    """Customers who sign in already: say yes to another account, as themselves."""
    purpose, now = LinkPurpose.JOIN_ACCOUNT, timezone.now()
    link = selectors.working_link(token=token, purpose=purpose, now=now)
    if link is None:
        return _over(request, PORTAL)
    actor = request.actor
    context = {
        "title": _("Act for another account?"),
        "username": link.user.username,
        "customer": link.customer,
        "rights": link.get_rights_display(),
        "is_me": actor is not None and actor.id == link.user_id,
        "sign_in": PORTAL.url("sign-in", next=request.path),
    }
    if request.method != "POST" or not context["is_me"]:
        return page(request, PORTAL, "join_account", context)
    try:
        identity.accept_account_invitation(token=token, actor=actor, now=now)
    except DomainError as error:
        context["error"] = _(error.detail)
        return page(request, PORTAL, "join_account", context, status=error.status)
    return page(request, PORTAL, "join_account", {**context, "done": True})


@guarded
def ask_reset(request: Any, door: Door) -> HttpResponse:
    """Ask for a link; the answer is the same for everybody, at once."""
    form = NameForm(request.POST or None)
    context = {
        "form": form,
        "title": _("Forgot your password?"),
        "submit": _("Send me a link"),
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, door, "ask_reset", context)
    identity.request_reset(
        name=form.cleaned_data["username"],
        face=door.face,
        address=request.client_address,
        now=timezone.now(),
    )
    return page(request, door, "reset_asked", {"title": _("Look into your mailbox")})


@guarded
def reset(request: Any, door: Door, token: str) -> HttpResponse:
    """Choose the new password; then sign in with it, and the second factor."""
    return _new_password(
        request, door, token, LinkPurpose.RESET_PASSWORD, identity.reset_password
    )


@guarded
def confirm_email(request: Any, door: Door, token: str) -> HttpResponse:
    """The address is the person's own: said by a button, since mail is scanned."""
    purpose, now = LinkPurpose.CONFIRM_EMAIL, timezone.now()
    user = selectors.user_of_link(token=token, purpose=purpose, now=now)
    if user is None:
        return _over(request, door)
    context = {"title": _("Confirm your e-mail address"), "username": user.sign_in_name}
    if request.method != "POST":
        return page(request, door, "confirm_email", context)
    try:
        identity.confirm_email(token=token, now=now)
    except DomainError as error:
        context["error"] = _(error.detail)
        return page(request, door, "confirm_email", context, status=error.status)
    done = {"title": _("Your e-mail address is confirmed"), "done": True}
    return page(request, door, "confirm_email", done)


def _new_password(
    request: Any, door: Door, token: str, purpose: LinkPurpose, accept: Any
) -> HttpResponse:
    now = timezone.now()
    user = selectors.user_of_link(token=token, purpose=purpose, now=now)
    if user is None:
        return _over(request, door)
    form = _password_form(request, user)
    context = {
        "form": form,
        "title": _("Choose your password"),
        "username": user.sign_in_name,
        "submit": _("Save"),
        "reset": True,
    }
    if request.method != "POST" or not form.is_valid():
        return page(request, door, "invitation", context)
    try:
        accept(token=token, password=form.cleaned_data["password"], now=now)
    except DomainError as error:
        return refused(request, door, "invitation", context, error)
    done = {"title": _("Your password is set"), "username": user.sign_in_name}
    return page(request, door, "password_set", done)


def _password_form(request: Any, user: Any) -> PasswordForm:
    return PasswordForm(
        request.POST or None, characters_min=selectors.password_characters_min(user)
    )


def _over(request: Any, door: Door) -> HttpResponse:
    context = {"title": _("This link does not work any more")}
    return page(request, door, "invitation_over", context, status=404)
