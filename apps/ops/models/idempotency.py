from __future__ import annotations

from django.db import models

from dotmac.core.models import Record, SealedField


class IdempotencyKey(Record):
    """The answer that one principal's key stands for."""

    principal = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    content_type = models.CharField(max_length=100, blank=True, default="")
    headers = models.JSONField(default=dict)
    # Answers show secrets once (of a NAS, a service), so they are kept sealed.
    body = SealedField(null=True, editable=False)  # type: ignore[misc]

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("principal", "key"), name="ops_idempotencykey_once"
            ),
        )
        indexes = (models.Index(fields=("created_at",), name="ops_idempotencykey_age"),)

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
