"""Passkeys for the browser's script (static/shared/passkeys.js): begin, finish.

Which challenge a browser was given stays in its session, so that an answer
counts only where the question was asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.identity import operations as identity
from apps.identity.enums import SessionFace, SessionStage
from apps.identity.errors import PasskeyRefused
from dotmac.core.api.problems import domain_response
from dotmac.core.errors import AuthenticationRefused, DomainError, InvalidInput
from dotmac.gateway.door import CONSOLE, Door, client_of, remember, target

BODY_BYTES_MAX = 64 * 1024
KEY = "passkey"
PERMISSION = "identity.change_own_factors"

View = Callable[..., HttpResponse]


def _for_script(view: View) -> View:
    """POST of a small JSON object; refusals are problems."""

    @wraps(view)
    @never_cache
    @require_POST
    def guarded(request: Any, door: Door) -> HttpResponse:
        try:
            return view(request, door, _body(request))
        except DomainError as error:
            return domain_response(error)

    return guarded


def _body(request: Any) -> dict[str, Any]:
    if len(request.body) > BODY_BYTES_MAX:
        raise InvalidInput("Too long.")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("Send JSON.") from error
    if not isinstance(found, dict):
        raise InvalidInput("Send an object.")
    return found


@_for_script
def begin(request: Any, door: Door, body: dict[str, Any]) -> HttpResponse:
    """The options for the browser. `new`: to make a passkey, else to prove one."""
    row, now = request.session_row, timezone.now()
    if body.get("new") is True:
        if row is None:
            raise AuthenticationRefused
        _require_fresh(request, door, body)
        asked = identity.ask_for_new_passkey(session_id=row.pk, now=now)
        doing = "new"
    else:
        asked = identity.ask_for_passkey(session_id=row and row.pk, now=now)
        doing = "prove" if row is not None else "enter"
    request.session[KEY] = [asked.ceremony_id, doing]
    return JsonResponse({"options": asked.options})


def _require_fresh(request: Any, door: Door, body: dict[str, Any]) -> None:
    """Staff showed a factor minutes ago; customers show what they have."""
    if request.session_row.stage == SessionStage.ENROLMENT:
        return
    if request.actor is None:
        raise AuthenticationRefused
    if door.face == SessionFace.CONSOLE:
        request.actor.require(PERMISSION)
        return
    identity.require_proof(
        session_id=request.session_row.pk,
        password=_text(body, "password"),
        otp=_text(body, "otp"),
        address=request.client_address,
        now=timezone.now(),
    )


@_for_script
def finish(request: Any, door: Door, body: dict[str, Any]) -> HttpResponse:
    """The browser's answer: a new passkey, a sign-in, or a proof. Says where to go."""
    held = request.session.pop(KEY, None)
    if not (isinstance(held, list) and len(held) == 2):
        raise PasskeyRefused
    ceremony_id, doing = held
    answer, row = body.get("credential"), request.session_row
    if doing == "enter":
        signed_in = identity.sign_in_with_passkey(
            ceremony_id=ceremony_id,
            answer=answer,
            face=door.face,
            **client_of(request),
        )
        remember(request, door, signed_in.session.pk)
        return JsonResponse({"url": target(request, door)})
    if row is None:
        raise AuthenticationRefused
    now = timezone.now()
    if doing == "prove":
        identity.confirm_with_passkey(
            ceremony_id=ceremony_id, session_id=row.pk, answer=answer, now=now
        )
        request.session.cycle_key()
        return JsonResponse({"url": target(request, door)})
    identity.add_passkey(
        ceremony_id=ceremony_id,
        session_id=row.pk,
        answer=answer,
        name=_text(body, "name"),
        now=now,
    )
    request.session.cycle_key()
    enrolled = row.stage == SessionStage.ENROLMENT
    return JsonResponse(
        {"url": CONSOLE.url("recovery-codes") if enrolled else target(request, door)}
    )


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    return value if isinstance(value, str) else ""
