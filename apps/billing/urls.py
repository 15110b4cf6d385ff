"""Addresses of billing that stand outside /api/v1."""

from django.urls import path

from apps.billing.api import webhooks
from apps.billing.console.pdf import invoice_document

urlpatterns = [
    path("webhooks/paystack", webhooks.paystack, name="webhook-paystack"),
    path(
        "console/invoices/<int:pk>/document.pdf",
        invoice_document,
        name="console-invoice-document",
    ),
]
