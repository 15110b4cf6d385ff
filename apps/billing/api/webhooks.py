"""What payment gateways send by themselves. The signature is the authentication."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.billing import operations
from apps.billing.enums import Provider
from apps.billing.gateways.paystack import NOTICE_BYTES_MAX, SIGNATURE_HEADER
from dotmac.core.api.problems import domain_response, problem_response
from dotmac.core.errors import DomainError


@csrf_exempt
@require_POST
def paystack(request: HttpRequest) -> HttpResponse:
    """200 once the message is committed: Paystack repeats anything else."""
    if _length(request) > NOTICE_BYTES_MAX:
        return problem_response(
            status=413, code="too_large", title=_("The message is too large.")
        )
    try:
        event = operations.accept_webhook(
            provider=Provider.PAYSTACK,
            body=request.body,
            signature=request.headers.get(SIGNATURE_HEADER, ""),
            now=timezone.now(),
        )
    except DomainError as error:
        return domain_response(error)
    return JsonResponse({"outcome": event.outcome})


def _length(request: HttpRequest) -> int:
    """The length that was announced; a body of unknown length is too long."""
    text = request.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else NOTICE_BYTES_MAX + 1
