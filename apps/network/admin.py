"""The stock admin, for tables of plain settings. Everything else has operations.

Rows are shown, not edited: a change goes through an operation, which checks and
records it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.network.models import (
    AddressPool,
    RateProfile,
    Site,
    Vlan,
    VlanGroup,
    Vrf,
)


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Look, do not touch."""

    ordering = ("pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    list_display = ("name", "city", "latitude", "longitude")
    search_fields = ("name", "city")


@admin.register(Vrf)
class VrfAdmin(ReadOnlyAdmin):
    list_display = ("name",)


@admin.register(AddressPool)
class AddressPoolAdmin(ReadOnlyAdmin):
    list_display = ("name", "vrf", "mode", "framed_pool", "quarantine_s")
    list_select_related = ("vrf",)


@admin.register(RateProfile)
class RateProfileAdmin(ReadOnlyAdmin):
    list_display = ("name", "down_kbps", "up_kbps", "sessions_max", "interim_s")
    search_fields = ("name",)


@admin.register(VlanGroup)
class VlanGroupAdmin(ReadOnlyAdmin):
    list_display = ("name", "vid_min", "vid_max", "outer_vid", "site")
    list_select_related = ("site",)


@admin.register(Vlan)
class VlanAdmin(ReadOnlyAdmin):
    list_display = ("vid", "name", "group")
    list_select_related = ("group",)
    list_filter = ("group",)
