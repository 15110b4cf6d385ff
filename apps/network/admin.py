"""The stock admin, for tables of plain settings. Everything else has operations.

Rows are shown, not edited: a change goes through an operation, which checks and
records it.
"""

from __future__ import annotations

from django.contrib import admin

from apps.network.models import (
    AddressPool,
    RateProfile,
    Site,
    Vlan,
    VlanGroup,
    Vrf,
)
from dotmac.core.admin import OperationsAdmin


@admin.register(Site)
class SiteAdmin(OperationsAdmin[Site]):
    list_display = ("name", "city", "latitude", "longitude")
    search_fields = ("name", "city")


@admin.register(Vrf)
class VrfAdmin(OperationsAdmin[Vrf]):
    list_display = ("name",)


@admin.register(AddressPool)
class AddressPoolAdmin(OperationsAdmin[AddressPool]):
    list_display = ("name", "vrf", "mode", "framed_pool", "quarantine_s")
    list_select_related = ("vrf",)


@admin.register(RateProfile)
class RateProfileAdmin(OperationsAdmin[RateProfile]):
    list_display = ("name", "down_kbps", "up_kbps", "sessions_max", "interim_s")
    search_fields = ("name",)


@admin.register(VlanGroup)
class VlanGroupAdmin(OperationsAdmin[VlanGroup]):
    list_display = ("name", "vid_min", "vid_max", "outer_vid", "site")
    list_select_related = ("site",)


@admin.register(Vlan)
class VlanAdmin(OperationsAdmin[Vlan]):
    list_display = ("vid", "name", "group")
    list_select_related = ("group",)
    list_filter = ("group",)
