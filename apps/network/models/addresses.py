"""Address space: VRFs, pools, prefixes, and who holds which address.

Nothing is pre-materialised. A row of AddressAssignment is one tenancy of an
address (or of a delegated prefix); its released rows are the holder history.
"""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from netfields import CidrAddressField, InetAddressField

from apps.network.enums import PoolMode, PoolUse, PrefixKind
from dotmac.core.models import Record


class Vrf(Record):
    """A routing table: the same address may live once in each."""

    name = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = "VRF"

    def __str__(self) -> str:
        return self.name


class AddressPoolQuerySet(models.QuerySet["AddressPool"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class AddressPool(Record):
    """Prefixes that addresses are taken from, lowest first.

    `delegated_length` makes it a pool of prefixes (say /56) instead of hosts.
    In mode nas the NAS hands out addresses from its pool `framed_pool`. `with_v6`
    goes with it: who takes of this pool takes of that one as well (dual stack).
    """

    name = models.CharField(max_length=64, unique=True)
    vrf = models.ForeignKey("network.Vrf", models.PROTECT, related_name="+")
    framed_pool = models.CharField(max_length=64, blank=True, default="")
    mode = models.CharField(
        max_length=8, choices=PoolMode.choices, default=PoolMode.DOTMAC
    )
    quarantine_s = models.PositiveIntegerField(default=3600)
    delegated_length = models.PositiveSmallIntegerField(null=True)
    use = models.CharField(
        max_length=16, choices=PoolUse.choices, db_default=PoolUse.ADDRESS,
        default=PoolUse.ADDRESS,
    )  # fmt: skip
    with_v6 = models.ForeignKey("self", models.PROTECT, related_name="+", null=True)

    objects = AddressPoolQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="network_addresspool_mode_known",
                condition=Q(mode__in=PoolMode.values),
            ),
            models.CheckConstraint(
                name="network_addresspool_nas_mode_names_pool",
                condition=~Q(mode=PoolMode.NAS) | ~Q(framed_pool=""),
            ),
            models.CheckConstraint(
                name="network_addresspool_delegated_length_in_range",
                condition=Q(delegated_length__isnull=True)
                | Q(delegated_length__range=(1, 128)),
            ),
            models.CheckConstraint(
                name="network_addresspool_use_known",
                condition=Q(use__in=PoolUse.values),
            ),
            # Older than what it goes with nobody can be: no pool goes round to itself.
            models.CheckConstraint(
                name="network_addresspool_partner_is_older",
                condition=Q(with_v6__isnull=True) | Q(with_v6__lt=F("id")),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Prefix(Record):
    """A block of addresses. Networks of one VRF never overlap."""

    vrf = models.ForeignKey("network.Vrf", models.PROTECT, related_name="+")
    cidr = CidrAddressField()
    kind = models.CharField(
        max_length=16, choices=PrefixKind.choices, default=PrefixKind.NETWORK
    )
    pool = models.ForeignKey(
        "network.AddressPool", models.PROTECT, related_name="+", null=True
    )
    site = models.ForeignKey(
        "network.Site", models.PROTECT, related_name="+", null=True
    )
    gateway = InetAddressField(store_prefix_length=False, null=True)
    description = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name_plural = "prefixes"
        constraints = (
            ExclusionConstraint(
                name="network_prefix_no_overlap",
                expressions=(
                    (F("vrf"), RangeOperators.EQUAL),
                    (OpClass(F("cidr"), name="inet_ops"), RangeOperators.OVERLAPS),
                ),
                condition=Q(kind=PrefixKind.NETWORK),
            ),
            models.UniqueConstraint(
                name="network_prefix_one_container",
                fields=("vrf", "cidr"),
                condition=Q(kind=PrefixKind.CONTAINER),
            ),
            models.CheckConstraint(
                name="network_prefix_kind_known",
                condition=Q(kind__in=PrefixKind.values),
            ),
            models.CheckConstraint(
                name="network_prefix_container_has_no_pool",
                condition=~Q(kind=PrefixKind.CONTAINER)
                | Q(pool__isnull=True, gateway__isnull=True),
            ),
        )
        indexes = (
            models.Index(name="network_prefix_vrf_cidr", fields=("vrf", "cidr")),
        )

    def __str__(self) -> str:
        return str(self.cidr)


class AddressAssignment(Record):
    """One tenancy of an address or delegated prefix by an access account.

    `reusable` marks the latest, released tenancy of an address that nobody has
    taken since: the allocator looks among these for an address that has rested.
    """

    vrf = models.ForeignKey("network.Vrf", models.PROTECT, related_name="+")
    pool = models.ForeignKey("network.AddressPool", models.PROTECT, related_name="+")
    prefix = models.ForeignKey("network.Prefix", models.PROTECT, related_name="+")
    address = InetAddressField()
    account = models.ForeignKey(
        "network.AccessAccount", models.PROTECT, related_name="+"
    )
    assigned_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    quarantined_until = models.DateTimeField(null=True)
    reusable = models.BooleanField(default=False)

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="network_addressassignment_one_holder",
                expressions=(
                    (F("vrf"), RangeOperators.EQUAL),
                    (OpClass(F("address"), name="inet_ops"), RangeOperators.OVERLAPS),
                ),
                condition=Q(released_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="network_addressassignment_one_per_account",
                fields=("account", "pool"),
                condition=Q(released_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="network_addressassignment_one_rest",
                fields=("prefix", "address"),
                condition=Q(reusable=True),
            ),
            models.CheckConstraint(
                name="network_addressassignment_released_after_assigned",
                condition=Q(released_at__isnull=True)
                | Q(released_at__gte=F("assigned_at")),
            ),
            models.CheckConstraint(
                name="network_addressassignment_rests_when_released",
                condition=Q(released_at__isnull=False)
                | Q(quarantined_until__isnull=True, reusable=False),
            ),
        )
        indexes = (
            models.Index(
                name="network_assignment_address", fields=("prefix", "address")
            ),
            models.Index(
                name="network_assignment_holders",
                fields=("address", "vrf", "assigned_at"),
            ),
            models.Index(
                name="network_assignment_account", fields=("account", "assigned_at")
            ),
        )

    def __str__(self) -> str:
        return self.address_text

    @property
    def address_text(self) -> str:
        """192.0.2.7 for a host, 2001:db8:1::/56 for a delegated prefix."""
        whole = self.address.network.prefixlen == self.address.max_prefixlen
        return str(self.address.ip) if whole else str(self.address)
