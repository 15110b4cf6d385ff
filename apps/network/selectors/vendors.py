"""Vendors that a NAS may be of, and what one NAS is told besides."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.network.models import NasAttribute, VendorMap


def vendor_choices() -> list[tuple[str, str]]:
    """Slug and label of every vendor whose map is loaded, by label."""
    rows = VendorMap.objects.order_by("label").values_list("slug", "label")
    return list(rows)


def nas_attributes(nas_id: int) -> QuerySet[NasAttribute]:
    """What the NAS is told besides its vendor's map, in the order of adding."""
    return NasAttribute.objects.filter(nas_id=nas_id).order_by("pk")
