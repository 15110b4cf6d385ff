"""Addresses of billing that stand outside /api/v1."""

from django.urls import path

from apps.billing.api import webhooks

urlpatterns = [path("webhooks/paystack", webhooks.paystack, name="webhook-paystack")]
