"""The PDF behind the button of an invoice's page."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.billing import selectors
from apps.ops import selectors as ops_selectors
from dotmac.core.actors import ActorKind


@require_safe
@never_cache
def invoice_document(request: HttpRequest, pk: int) -> HttpResponseBase:
    """For staff who may see the invoice; a stranger gets what a missing one gives."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.kind != ActorKind.STAFF:
        return redirect(f"/console/sign-in?next={request.path}")
    invoice = selectors.invoices_visible_to(actor).filter(pk=pk).first()
    if invoice is None:
        raise Http404
    day = ops_selectors.business_date(now=timezone.now())
    return HttpResponse(
        selectors.invoice_pdf(invoice_id=invoice.pk, day=day),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{invoice.reference}.pdf"',
        },
    )
