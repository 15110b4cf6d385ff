"""Idempotency-Key on every POST of the API.

The guard opens the transaction, claims the key, lets the view do its work in
it, and stores the answer: all three commit together. Answers above 399 are not
kept, so that a corrected or later try does the work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from apps.ops import operations as ops
from dotmac.core.api.parsers import is_upload
from dotmac.core.api.problems import domain_response, problem_response
from dotmac.core.errors import DomainError

HEADER = "Idempotency-Key"
_PREFIX = "/api/v1/"
_EXEMPT = "/api/v1/auth/"
_REQUIRED = (
    "/api/v1/billing/payments",
    "/api/v1/billing/refunds",
    "/api/v1/billing/credit-notes",
)
_KEPT_HEADERS = ("Location", "ETag")


class IdempotencyMiddleware:
    """Must stand behind the middleware that recognises the actor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        guarded = (
            request.method == "POST"
            and request.path.startswith(_PREFIX)
            and not request.path.startswith(_EXEMPT)
        )
        actor = getattr(request, "actor", None)
        # Without an actor the view refuses anyway, and there is no principal.
        if not guarded or actor is None:
            return self.get_response(request)
        key = request.headers.get(HEADER)
        if key is not None:
            return self._guarded(request, f"{actor.kind}:{actor.id}", key)
        if request.path.rstrip("/").startswith(_REQUIRED):
            return problem_response(
                status=400,
                code="idempotency_key_required",
                title="Send an Idempotency-Key header with payments and refunds.",
            )
        return self.get_response(request)

    def _guarded(self, request: HttpRequest, principal: str, key: str) -> HttpResponse:
        try:
            with transaction.atomic():
                claim = ops.claim_idempotency_key(
                    principal=principal, key=key, request_hash=_fingerprint(request)
                )
                if isinstance(claim, ops.Replay):
                    return _replayed(claim)
                response = self.get_response(request)
                if response.status_code >= 400:
                    transaction.set_rollback(True)
                    return response
                ops.store_answer(
                    claim=claim,
                    status=response.status_code,
                    content_type=response.get("Content-Type", ""),
                    headers={n: response[n] for n in _KEPT_HEADERS if n in response},
                    body=_rendered(response),
                )
                return response
        except DomainError as error:
            return domain_response(error)


def _fingerprint(request: HttpRequest) -> str:
    digest = hashlib.sha256()
    for part in (request.method or "", request.get_full_path()):
        digest.update(part.encode() + b"\n")
    digest.update(_body_of(request))
    return digest.hexdigest()


def _body_of(request: HttpRequest) -> bytes:
    """The body, also of an upload, which Django would not read into memory.

    How large it may be was judged at the door.
    """
    if not is_upload(request.path):
        return request.body
    body = request.read()
    # What Django's own `body` leaves behind, for whoever reads it next.
    request._body = body
    return body


def _rendered(response: HttpResponse) -> bytes:
    render = getattr(response, "render", None)
    return bytes((render() if callable(render) else response).content)


def _replayed(replay: ops.Replay) -> HttpResponse:
    response = HttpResponse(
        replay.body, status=replay.status, content_type=replay.content_type
    )
    for name, value in replay.headers.items():
        response[name] = value
    response["Idempotent-Replay"] = "true"
    return response
