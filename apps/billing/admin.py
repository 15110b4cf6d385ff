"""Rows of dunning's settings for superusers. They are changed on the console."""

from __future__ import annotations

from django.contrib import admin

from apps.billing.models import DunningPolicy, DunningStep, NoCutOffDay
from dotmac.core.admin import OperationsAdmin


@admin.register(DunningPolicy)
class DunningPolicyAdmin(OperationsAdmin[DunningPolicy]):
    list_display = ("slug", "name", "is_default", "ignore_below_minor")


@admin.register(DunningStep)
class DunningStepAdmin(OperationsAdmin[DunningStep]):
    list_display = ("policy", "number", "kind", "days_overdue")
    list_select_related = ("policy",)


@admin.register(NoCutOffDay)
class NoCutOffDayAdmin(OperationsAdmin[NoCutOffDay]):
    list_display = ("policy", "day", "name")
    list_select_related = ("policy",)
