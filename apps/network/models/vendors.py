"""What each vendor's equipment is told, and what one NAS is told besides."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.network.enums import ReplyMoment
from dotmac.core.models import Record


class VendorMap(Record):
    """A vendor that a NAS may be of. Written by `operations.load_vendor_maps` from
    the files in radius/vendors, never by hand: `digest` says of which file."""

    slug = models.CharField(max_length=32, unique=True)
    label = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.label


class VendorRule(models.Model):
    """One reply of a map, as radius_reply() reads it; rules/vendors.py makes it."""

    vendor = models.ForeignKey(
        "network.VendorMap", models.PROTECT, to_field="slug", db_column="vendor",
        related_name="rules", db_index=False,
    )  # fmt: skip
    ordinal = models.PositiveSmallIntegerField()
    attribute = models.CharField(max_length=100)
    op = models.CharField(max_length=2)
    template = models.TextField()
    quoted = models.BooleanField()
    needs = models.PositiveIntegerField()
    unless = models.PositiveIntegerField()
    in_accept = models.BooleanField()
    in_coa = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="network_vendorrule_one_per_ordinal", fields=("vendor", "ordinal")
            ),
        )

    def __str__(self) -> str:
        return f"{self.attribute} {self.op} {self.template}"


class NasAttribute(Record):
    """An attribute that one NAS is told, whatever its vendor's map says."""

    nas = models.ForeignKey("network.Nas", models.CASCADE, related_name="attributes")
    moment = models.CharField(
        max_length=16, choices=ReplyMoment.choices, default=ReplyMoment.ALWAYS
    )
    attribute = models.CharField(max_length=100)
    op = models.CharField(max_length=2, default=":=")
    value = models.CharField(max_length=253)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="network_nasattribute_moment_known",
                condition=Q(moment__in=ReplyMoment.values),
            ),
            models.CheckConstraint(
                name="network_nasattribute_op_known", condition=Q(op__in=(":=", "+="))
            ),
        )

    def __str__(self) -> str:
        return f"{self.attribute} {self.op} {self.value}"
