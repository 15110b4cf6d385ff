"""Speeds."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.network.enums import OnLimit
from dotmac.core.models import Record


class RateProfile(Record):
    """A speed that accounts are given, and what becomes of it under a hold.

    Burst values of 0 mean none. `sessions_max` applies where the account has
    none of its own; 0 means without limit. `priority` is 1 (first) to 8 (last), 0
    for none; `idle_s` ends an idle session, 0 never; `session_mb` is what passes in one
    session at most, both ways, in units of 1,000,000 octets, 0 without limit. NASes that know speeds by name
    only (Cisco, Juniper) are told `policy`, and `throttled_policy` under a hold.
    """

    name = models.CharField(max_length=100, unique=True)
    down_kbps = models.PositiveIntegerField()
    up_kbps = models.PositiveIntegerField()
    burst_down_kbps = models.PositiveIntegerField(default=0)
    burst_up_kbps = models.PositiveIntegerField(default=0)
    burst_threshold_down_kbps = models.PositiveIntegerField(default=0)
    burst_threshold_up_kbps = models.PositiveIntegerField(default=0)
    burst_s = models.PositiveIntegerField(default=0)
    throttled_down_kbps = models.PositiveIntegerField(default=512)
    throttled_up_kbps = models.PositiveIntegerField(default=512)
    sessions_max = models.PositiveSmallIntegerField(default=1)
    on_limit = models.CharField(
        max_length=8,
        choices=OnLimit.choices,
        default=OnLimit.REFUSE,
        db_default=OnLimit.REFUSE.value,
    )
    interim_s = models.PositiveIntegerField(default=300)
    priority = models.PositiveSmallIntegerField(db_default=0, default=0)
    idle_s = models.PositiveIntegerField(db_default=0, default=0)
    session_mb = models.PositiveIntegerField(db_default=0, default=0)
    policy = models.CharField(max_length=64, blank=True, db_default="", default="")
    throttled_policy = models.CharField(
        max_length=64, blank=True, db_default="", default=""
    )
    # While a change is carried to running sessions: the last one that was told.
    told_session = models.BigIntegerField(null=True, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="network_rateprofile_has_speed",
                condition=Q(
                    down_kbps__gt=0,
                    up_kbps__gt=0,
                    throttled_down_kbps__gt=0,
                    throttled_up_kbps__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="network_rateprofile_burst_exceeds_rate",
                condition=Q(burst_down_kbps=0, burst_up_kbps=0)
                | Q(
                    burst_down_kbps__gte=F("down_kbps"),
                    burst_up_kbps__gte=F("up_kbps"),
                    burst_s__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="network_rateprofile_on_limit_known",
                condition=Q(on_limit__in=OnLimit.values),
            ),
            models.CheckConstraint(
                name="network_rateprofile_priority_in_range",
                condition=Q(priority__range=(0, 8)),
            ),
            # RFC 2869 asks for 60 s at least; more than a day tells nobody anything.
            models.CheckConstraint(
                name="network_rateprofile_interim_in_range",
                condition=Q(interim_s__range=(60, 86400)),
            ),
        )

    def __str__(self) -> str:
        return self.name
