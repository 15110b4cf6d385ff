from __future__ import annotations

from django.db import models
from django.db.models import Q

from dotmac.core.models import Record


class Installation(Record):
    """The one row of facts about this installation."""

    business_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="ops_installation_only_one", condition=Q(id=1)),
        )

    def __str__(self) -> str:
        return "Installation"


class IntegrityResult(Record):
    """What one invariant's query found in one run."""

    run_at = models.DateTimeField()
    name = models.CharField(max_length=100)
    says = models.TextField()
    offending = models.PositiveIntegerField()
    sample = models.JSONField(default=list)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("run_at", "name"), name="ops_integrityresult_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.offending}"
