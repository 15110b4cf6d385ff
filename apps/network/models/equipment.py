"""Where the equipment stands, and the access servers that ask RADIUS."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from netfields import InetAddressField

from apps.network.enums import DEFAULT_VENDOR
from dotmac.core.models import BlindIndexField, Record, SealedField


class Site(Record):
    """A place where equipment stands."""

    name = models.CharField(max_length=100, unique=True)
    city = models.CharField(max_length=100, blank=True, default="")
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="network_site_on_earth",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
            ),
        )

    def __str__(self) -> str:
        return self.name


class NasQuerySet(models.QuerySet["Nas"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Nas(Record):
    """An access server: known by the source address of its packets."""

    name = models.CharField(max_length=100, unique=True)
    address = InetAddressField(store_prefix_length=False, unique=True)
    secret = SealedField()
    # Which NASes share a secret; empty until the next rotation in older rows.
    secret_index = BlindIndexField(of="secret", null=True, editable=False)  # type: ignore[misc]
    # Names the secret to the RADIUS servers, and the one that a packet is to prove
    # (NasSecret); empty when none is.
    secret_version = models.PositiveIntegerField(db_default=1, default=1)
    secret_awaits = models.PositiveIntegerField(null=True)
    # The slug of a VendorMap: a foreign key in the database (migration 0022).
    vendor = models.CharField(max_length=32, default=DEFAULT_VENDOR)
    coa_port = models.PositiveIntegerField(default=3799)
    site = models.ForeignKey(
        "network.Site", models.PROTECT, related_name="+", null=True
    )
    walled_pool = models.CharField(max_length=64, default="walled")
    # Where the walled garden sends a browser; empty where the NAS does it by itself.
    redirect_url = models.CharField(
        max_length=200, blank=True, db_default="", default=""
    )
    require_message_authenticator = models.BooleanField(default=True)
    # It tells no gigawords: a counter that falls while time goes on has overflowed.
    counts_32_bits = models.BooleanField(db_default=False, default=False)
    enabled = models.BooleanField(default=True)
    # Devices and lines may be let in without a password (AccessHandle).
    ipoe = models.BooleanField(default=False, db_default=False)
    # One in how many of its decisions RADIUS writes down (a storm: more than one), and
    # until when somebody reads them, for sure; later on a thousandth is written.
    decisions_sample_of = models.PositiveIntegerField(
        default=1, db_default=1, editable=False
    )
    decisions_read_until = models.DateTimeField(null=True, editable=False)
    # When it last said so (Accounting-On, -Off), by our clock; and what its own
    # clock said then, which after a boot may be anything.
    rebooted_at = models.DateTimeField(null=True)
    rebooted_told_at = models.DateTimeField(null=True)

    objects = NasQuerySet.as_manager()

    class Meta:
        verbose_name = "NAS"
        verbose_name_plural = "NAS"
        indexes = (
            models.Index(fields=("secret_index",), name="network_nas_secret_index"),
        )
        constraints = (
            models.CheckConstraint(
                name="network_nas_coa_port_in_range",
                condition=Q(coa_port__range=(1, 65535)),
            ),
        )

    def __str__(self) -> str:
        return self.name
