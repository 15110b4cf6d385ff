"""The stock admin, for tables of plain settings. Everything else has operations.

Rows are shown, not edited: a change goes through an operation, which checks and
records it.
"""

from __future__ import annotations

from django.contrib import admin

from apps.catalog.models import Plan, PlanPrice
from dotmac.core.admin import OperationsAdmin


@admin.register(Plan)
class PlanAdmin(OperationsAdmin[Plan]):
    list_display = ("name", "slug", "profile", "pool", "billing", "state")
    list_select_related = ("profile", "pool")
    search_fields = ("name", "slug")


@admin.register(PlanPrice)
class PlanPriceAdmin(OperationsAdmin[PlanPrice]):
    list_display = ("plan", "currency", "amount", "valid_from", "valid_to")
    list_select_related = ("plan",)
