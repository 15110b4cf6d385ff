"""Signing in by another provider: the way there, and the ways back.

Which flows a browser began stays in its session, so that an answer counts only
where the question was asked. The form of a SAML provider comes from another site,
hence without our cookie: it is weighed, kept, and the browser comes for it by GET,
with the word that the redirect told it and the cookie of who asked.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from apps.federation import operations as federation
from apps.federation import selectors
from apps.identity.enums import SessionStage
from dotmac.core.errors import DomainError, NotFound
from dotmac.gateway.door import Door, client_of, page, remember, target

KEY = "federation"
FLOWS_MAX = 5


@never_cache
@require_safe
def begin(request: Any, door: Door, slug: str) -> HttpResponse:
    """To the provider; who is signed in already goes where they wanted to go."""
    wanted = target(request, door)
    if request.actor is not None:
        return redirect(wanted)
    try:
        begun = federation.begin_federated(
            slug=slug, face=door.face, wanted=wanted, now=client_of(request)["now"]
        )
    except DomainError as error:
        return _refused(request, door, error)
    request.session[KEY] = [*_flows(request), begun.flow_id][-FLOWS_MAX:]
    return HttpResponseRedirect(begun.url)


@never_cache
@require_safe
def come_back(request: Any, door: Door, slug: str) -> HttpResponse:
    """With a code of OpenID Connect, or for the assertion that came before."""
    try:
        came = federation.finish_federated(
            slug=slug,
            face=door.face,
            flow_ids=_flows(request),
            answer=dict(request.GET.items()),
            **client_of(request),
        )
    except DomainError as error:
        return _refused(request, door, error)
    request.session.pop(KEY, None)
    session = came.signed_in.session
    remember(request, door, session.pk)
    wanted = came.wanted or door.root
    if session.stage == SessionStage.PASSWORD:
        return redirect(door.url("sign-in/code", next=wanted))
    if session.stage == SessionStage.ENROLMENT:
        return redirect(door.url("enrolment"))
    return redirect(wanted)


@csrf_exempt  # the provider's form: its signature and our request id are the proof
@never_cache
@require_POST
@sensitive_post_parameters("SAMLResponse")
def consume(request: Any, door: Door, slug: str) -> HttpResponse:
    """The assertion consumer service (saml-bindings-2.0-os, 3.5)."""
    try:
        word = federation.take_saml_answer(
            slug=slug,
            face=door.face,
            encoded=request.POST.get("SAMLResponse", ""),
            **client_of(request),
        )
    except DomainError as error:
        return _refused(request, door, error)
    response = redirect(door.url(f"federation/{slug}/finish", word=word))
    response.status_code = 303
    return response


@require_safe
def metadata(request: Any, door: Door, slug: str) -> HttpResponse:
    """What a SAML provider has to know of us; no secret."""
    found = selectors.metadata_of(slug=slug, face=door.face)
    if found is None:
        raise Http404
    return HttpResponse(found, content_type="application/samlmetadata+xml")


def _flows(request: Any) -> list[int]:
    known = request.session.get(KEY, [])
    return [flow for flow in known if isinstance(flow, int)][-FLOWS_MAX:]


def _refused(request: Any, door: Door, error: DomainError) -> HttpResponse:
    """One page for all that was wrong; what it was is in the audit and the log."""
    if isinstance(error, NotFound):
        raise Http404 from error
    context = {"title": _("That did not work"), "error": _(error.detail)}
    response = page(request, door, "federation_refused", context, status=error.status)
    if "retry_after_s" in error.facts:
        response["Retry-After"] = str(error.facts["retry_after_s"])
    return response
