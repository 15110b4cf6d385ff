"""A code that comes with what was typed: dangerous forms lose nothing.

A dangerous form that is sent too late is shown again as a question for a code,
with all that was typed in it (dotmac.core.console.confirm). The answer carries
both; the code is looked at here, after the CSRF check and before the view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.identity import operations as identity
from apps.identity import selectors
from dotmac.core.console.confirm import FIELD
from dotmac.core.errors import DomainError
from dotmac.gateway.door import client_of


class StepUpMiddleware:
    """Stands behind the middleware that recognises the actor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        """The actor of the view has shown the code, or `step_up_error` says why not."""
        request.step_up_error = None
        row = request.session_row
        if request.method != "POST" or request.actor is None or row is None:
            return
        if request.path.startswith("/api/") or not request.POST.get(FIELD):
            return
        client = client_of(request)
        try:
            identity.step_up(session_id=row.pk, otp=request.POST[FIELD], **client)
        except DomainError as error:
            request.step_up_error = error
            return
        renewed = selectors.live_session(session_id=row.pk, now=client["now"])
        if renewed is None:
            return
        request.session_row, request.user = renewed, renewed.user
        request.actor = selectors.actor_for_session(
            renewed, now=client["now"], address=request.client_address
        )
