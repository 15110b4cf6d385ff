"""Requests to a NAS: rows that a worker claims, sends, and answers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from netfields import InetAddressField

from apps.network.enums import CoaKind, CoaState
from dotmac.core.models import Record


class CoaRequest(Record):
    """One Disconnect or CoA for one session, with what the NAS answered.

    What the packet needs is copied, since the session may have gone to the
    history by the time it is sent.
    """

    account = models.ForeignKey(
        "network.AccessAccount", models.PROTECT, related_name="+", null=True
    )
    nas = models.ForeignKey("network.Nas", models.PROTECT, related_name="+")
    session_id = models.BigIntegerField()
    session_key = models.UUIDField()
    generation = models.PositiveIntegerField()
    login = models.CharField(max_length=253)
    acct_session_id = models.CharField(max_length=253)
    framed_address = InetAddressField(store_prefix_length=False, null=True)
    kind = models.CharField(max_length=16, choices=CoaKind.choices)
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    attributes = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField())
    )
    state = models.CharField(
        max_length=16,
        choices=CoaState.choices,
        default=CoaState.QUEUED,
        db_default=CoaState.QUEUED.value,
    )
    not_before = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Requests that somebody made together.
    batch = models.UUIDField(null=True)
    actor_label = models.CharField(
        max_length=200, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = "CoA request"
        constraints = (
            models.UniqueConstraint(
                name="network_coarequest_one_queued",
                fields=("session_id", "kind"),
                condition=Q(state=CoaState.QUEUED),
            ),
            models.CheckConstraint(
                name="network_coarequest_state_known",
                condition=Q(state__in=CoaState.values),
            ),
            models.CheckConstraint(
                name="network_coarequest_kind_known",
                condition=Q(kind__in=CoaKind.values),
            ),
        )
        indexes = (
            models.Index(
                name="network_coa_due",
                fields=("not_before", "id"),
                condition=Q(state__in=(CoaState.QUEUED, CoaState.SENDING)),
            ),
            models.Index(name="network_coa_session", fields=("session_key",)),
            models.Index(
                name="network_coa_batch",
                fields=("batch",),
                condition=Q(batch__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.login}"
