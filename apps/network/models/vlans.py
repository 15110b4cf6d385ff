"""VLAN ids, unique within a group (a switch domain, or one outer tag)."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q

from dotmac.core.models import Record


class VlanGroupQuerySet(models.QuerySet["VlanGroup"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class VlanGroup(Record):
    """Where a VLAN id is unique; `outer_vid` makes its ids inner tags (Q-in-Q)."""

    name = models.CharField(max_length=64, unique=True)
    vid_min = models.PositiveSmallIntegerField(default=2)
    vid_max = models.PositiveSmallIntegerField(default=4094)
    outer_vid = models.PositiveSmallIntegerField(null=True)
    site = models.ForeignKey(
        "network.Site", models.PROTECT, related_name="+", null=True
    )

    objects = VlanGroupQuerySet.as_manager()

    class Meta:
        verbose_name = "VLAN group"
        constraints = (
            models.CheckConstraint(
                name="network_vlangroup_range_valid",
                condition=Q(
                    vid_min__gte=1, vid_max__lte=4094, vid_max__gte=F("vid_min")
                ),
            ),
            models.CheckConstraint(
                name="network_vlangroup_outer_in_range",
                condition=Q(outer_vid__isnull=True) | Q(outer_vid__range=(1, 4094)),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Vlan(Record):
    """One VLAN id in use: by an account, or by the network itself (named)."""

    group = models.ForeignKey("network.VlanGroup", models.PROTECT, related_name="+")
    vid = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = "VLAN"
        constraints = (
            models.UniqueConstraint(
                name="network_vlan_one_per_group", fields=("group", "vid")
            ),
            models.CheckConstraint(
                name="network_vlan_vid_in_range", condition=Q(vid__range=(1, 4094))
            ),
        )

    def __str__(self) -> str:
        return f"{self.vid} {self.name}".strip()
