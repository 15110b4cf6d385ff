"""DotMac as OpenID provider: the endpoints that applications and browsers meet.

`authorize` and `end_session` lie behind the console's door, where the session is;
the others are for programs, which have no cookie.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from apps.federation import operations as federation
from apps.federation import selectors
from apps.federation.errors import ApplicationUnknown, ProtocolError
from apps.identity import operations as identity
from apps.identity import selectors as people
from dotmac.gateway.authentication import COOKIE_KEYS
from dotmac.gateway.door import CONSOLE, page

_BEARER = "bearer "


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    """The discovery document (OIDC Discovery 4)."""
    return JsonResponse(
        selectors.discovery_document(),
        headers={"Cache-Control": "public, max-age=300"},
    )


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: Any) -> HttpResponse:
    """Core 3.1.2.1 wants GET and POST; a request by POST comes again by GET.

    So the one POST that decides something is our own page's, with its CSRF token.
    """
    if request.method == "POST" and "decision" not in request.POST:
        return redirect(f"{request.path}?{request.POST.urlencode()}")
    return _authorize(request)


@csrf_protect
def _authorize(request: Any) -> HttpResponse:
    asked = dict(request.GET.items())
    try:
        if any(len(values) > 1 for _name, values in request.GET.lists()):
            raise ApplicationUnknown(_("A parameter was sent twice."))
        asking = selectors.application_asking(
            asked.get("client_id", ""), asked.get("redirect_uri", "")
        )
    except ApplicationUnknown as error:
        context = {"title": _("This does not work"), "error": _(error.detail)}
        return page(request, CONSOLE, "authorize_refused", context, status=400)
    try:
        wish = selectors.wish_of(asked)
    except selectors.AskedWrongly as error:
        return _tell(asking, asked, error=error.error, error_description=error.detail)
    return _known(request, asking, wish, asked)


def _known(request: Any, asking: Any, wish: Any, asked: dict[str, str]) -> HttpResponse:
    """A well-formed wish: who is it, how fresh, and do they agree?"""
    actor, now, silent = request.actor, timezone.now(), "none" in wish.prompts
    again = request.get_full_path()
    if actor is None:
        if silent:
            return _tell(asking, asked, error="login_required")
        return redirect(CONSOLE.url("sign-in", next=again))
    row = request.session_row
    proved_at = max(row.started_at, row.mfa_at or row.started_at)
    if selectors.is_too_old(wish, proved_at=proved_at, now=now):
        if silent:
            return _tell(asking, asked, error="login_required")
        return redirect(CONSOLE.url("step-up", next=again))
    if _has_to_ask(asking, wish, actor.id) and request.method != "POST":
        if silent:
            return _tell(asking, asked, error="consent_required")
        return _ask(request, asking, wish)
    if request.method == "POST" and request.POST["decision"] != "allow":
        return _tell(asking, asked, error="access_denied")
    code = federation.give_code(asking=asking, wish=wish, actor=actor, now=now)
    return _tell(asking, asked, code=code)


def _has_to_ask(asking: Any, wish: Any, user_id: int) -> bool:
    if "consent" in wish.prompts:
        return True
    if not asking.application.asks_consent:
        return False
    known = selectors.consented_scopes(
        application_id=asking.application.pk, user_id=user_id
    )
    return not set(wish.scopes) <= known


def _ask(request: Any, asking: Any, wish: Any) -> HttpResponse:
    context = {
        "title": _("Sign in to %s") % asking.application.name,
        "application": asking.application,
        "learns": [_(selectors.SCOPES[scope]) for scope in wish.scopes],
        "host": urlsplit(asking.return_address).netloc,
        "user": request.user,
    }
    response = page(request, CONSOLE, "consent", context)
    return _may_end_at(response, asking.return_address)


def _may_end_at(response: HttpResponse, address: str) -> HttpResponse:
    """Browsers look at form-action again where a form's answer leads elsewhere."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    response._csp_update = {"form-action": [origin]}  # type: ignore[attr-defined]
    return response


def _tell(asking: Any, asked: dict[str, str], **facts: str) -> HttpResponse:
    """Back to the application, with our name beside the answer (RFC 9207)."""
    url = selectors.answer_url(
        asking.return_address,
        **facts,
        state=asked.get("state", ""),
        iss=selectors.discovery_document()["issuer"],
    )
    return HttpResponseRedirect(url)


@csrf_exempt  # programs: they prove themselves by their secret and the verifier
@never_cache
@require_POST
@sensitive_post_parameters("code", "client_secret", "code_verifier")
def token(request: Any) -> HttpResponse:
    """A code for tokens (RFC 6749, 4.1.3)."""
    form = request.POST
    try:
        if form.get("grant_type") != "authorization_code":
            raise ProtocolError("unsupported_grant_type", "Only authorization_code.")
        given = federation.exchange_code(
            credentials=_credentials(request),
            code=form.get("code", ""),
            return_address=form.get("redirect_uri", ""),
            verifier=form.get("code_verifier", ""),
            now=timezone.now(),
        )
    except ProtocolError as error:
        return _protocol(request, error)
    return JsonResponse(
        {
            "access_token": given.access_token,
            "token_type": "Bearer",  # nosec B105 - its kind
            "expires_in": given.expires_in,
            "scope": given.scope,
            "id_token": given.id_token,
        },
        headers={"Cache-Control": "no-store"},
    )


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def userinfo(request: Any) -> HttpResponse:
    """Who a token speaks of (Core 5.3)."""
    header = request.headers.get("Authorization", "")
    found = None
    if header.lower().startswith(_BEARER):
        found = selectors.person_of_token(
            header[len(_BEARER) :].strip(), now=timezone.now()
        )
    if found is None:
        says = 'Bearer error="invalid_token"' if header else "Bearer"
        return HttpResponse(status=401, headers={"WWW-Authenticate": says})
    return JsonResponse(found.claims)


@csrf_exempt
@never_cache
@require_POST
@sensitive_post_parameters("token", "client_secret")
def revoke(request: Any) -> HttpResponse:
    """End a token; the answer is the same for tokens that nobody knows (RFC 7009)."""
    try:
        federation.revoke_token(
            credentials=_credentials(request),
            token=request.POST.get("token", ""),
            now=timezone.now(),
        )
    except ProtocolError as error:
        return _protocol(request, error)
    return HttpResponse(status=200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_session(request: Any) -> HttpResponse:
    """RP-initiated logout: at once with an ID token of this sign-in, else on demand."""
    asked, row = request.GET, request.session_row
    hint = people.statement_of(asked.get("id_token_hint", "")) or {}
    client_id = hint.get("aud") or asked.get("client_id", "")
    leaves = selectors.leaving_to(
        str(client_id), asked.get("post_logout_redirect_uri", "")
    )
    theirs = row is not None and hint.get("sid") == str(row.pk)
    if row is not None and request.method != "POST" and not theirs:
        context = {"title": _("Sign out?"), "user": row.user}
        response = page(request, CONSOLE, "end_session", context)
        return _may_end_at(response, leaves) if leaves else response
    if row is not None:
        identity.end_session(session_id=row.pk, now=timezone.now())
        request.session.pop(COOKIE_KEYS[CONSOLE.face], None)
    if not leaves:
        return redirect(CONSOLE.url("sign-in"))
    return HttpResponseRedirect(
        selectors.answer_url(leaves, state=asked.get("state", ""))
    )


def _credentials(request: Any) -> Any:
    return selectors.credentials_of(
        request.headers.get("Authorization", ""), dict(request.POST.items())
    )


def _protocol(request: Any, error: ProtocolError) -> HttpResponse:
    body = {"error": error.error, "error_description": error.detail}
    response = JsonResponse(
        body, status=error.answer_status, headers={"Cache-Control": "no-store"}
    )
    if error.answer_status == 401:
        response["WWW-Authenticate"] = 'Basic realm="DotMac"'
    return response
