"""Devices and lines that are let in by what they are, without a password."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.network.enums import HandleKind
from dotmac.core.models import Record

VALUE_MAX = 512


class AccessHandle(Record):
    """A device or a line that stands for an account on a NAS that lets it (IPoE).

    `value` is the form in which RADIUS compares it: a MAC address as
    aa:bb:cc:dd:ee:ff, an id of a line as radius_text() gives its octets. It goes with
    the account: closing deletes it, so that whoever has the line next may have it.
    """

    account = models.ForeignKey(
        "network.AccessAccount", models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=HandleKind.choices)
    value = models.CharField(max_length=VALUE_MAX)

    class Meta:
        verbose_name = "device or line"
        verbose_name_plural = "devices and lines"
        constraints = (
            models.UniqueConstraint(
                name="network_accesshandle_taken", fields=("value", "kind")
            ),
            models.CheckConstraint(
                name="network_accesshandle_kind_known",
                condition=Q(kind__in=HandleKind.values),
            ),
            models.CheckConstraint(
                name="network_accesshandle_value_canonical",
                condition=(
                    Q(kind="mac") & Q(value__regex=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")
                )
                | (~Q(kind="mac") & ~Q(value="")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
