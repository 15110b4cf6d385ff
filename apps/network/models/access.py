"""What may be switched at the edge, and why it may not connect."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.network.enums import AccountKind, HoldEffect, HoldReason
from dotmac.core.models import Record, SealedField


class AccessAccountQuerySet(models.QuerySet["AccessAccount"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def active(self) -> Self:
        return self.filter(closed_at=None)


class AccessAccount(Record):
    """One login at the edge. The service that it belongs to knows it, not it that.

    Logins are compared byte by byte, as RADIUS does; a closed account keeps its
    login for the records and leaves it free.
    """

    login = models.CharField(max_length=64)
    secret = SealedField()
    kind = models.CharField(
        max_length=16, choices=AccountKind.choices, default=AccountKind.RADIUS
    )
    profile = models.ForeignKey("network.RateProfile", models.PROTECT, related_name="+")
    pool = models.ForeignKey(
        "network.AddressPool", models.PROTECT, related_name="+", null=True
    )
    vlan = models.OneToOneField(
        "network.Vlan", models.PROTECT, related_name="+", null=True
    )
    mac_lock = models.CharField(max_length=17, blank=True, default="")
    sessions_max = models.PositiveSmallIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = AccessAccountQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="network_accessaccount_login_taken",
                fields=("login",),
                condition=Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="network_accessaccount_login_printable",
                condition=Q(login__regex=r"^[^[:space:][:cntrl:]]+$"),
            ),
            models.CheckConstraint(
                name="network_accessaccount_mac_canonical",
                condition=Q(mac_lock="")
                | Q(mac_lock__regex=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"),
            ),
            models.CheckConstraint(
                name="network_accessaccount_kind_known",
                condition=Q(kind__in=AccountKind.values),
            ),
            models.CheckConstraint(
                name="network_accessaccount_closed_has_no_vlan",
                condition=Q(closed_at__isnull=True) | Q(vlan__isnull=True),
            ),
        )
        # Serves "=" and what begins with a text, whatever the collation.
        indexes = (
            models.Index(
                name="network_account_login_start",
                fields=("login",),
                opclasses=("varchar_pattern_ops",),
            ),
        )

    def __str__(self) -> str:
        return self.login


class AccessHold(Record):
    """One reason why an account may not connect freely; open until lifted."""

    account = models.ForeignKey(
        "network.AccessAccount", models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=16, choices=HoldReason.choices)
    effect = models.CharField(max_length=16, choices=HoldEffect.choices)
    note = models.CharField(max_length=500, blank=True, default="")
    placed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="network_accesshold_one_open_per_reason",
                fields=("account", "reason"),
                condition=Q(lifted_at__isnull=True),
            ),
            models.CheckConstraint(
                name="network_accesshold_reason_known",
                condition=Q(reason__in=HoldReason.values),
            ),
            models.CheckConstraint(
                name="network_accesshold_effect_known",
                condition=Q(effect__in=HoldEffect.values),
            ),
            models.CheckConstraint(
                name="network_accesshold_lifted_after_placed",
                condition=Q(lifted_at__isnull=True) | Q(lifted_at__gte=F("placed_at")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.reason} ({self.effect})"
