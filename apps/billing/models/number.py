from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.billing.enums import SeriesKind


class NumberSeries(models.Model):
    """The next legal number of one kind of document in one year.

    A locked row, not a sequence: a rollback gives its numbers back.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=SeriesKind)
    year = models.PositiveSmallIntegerField()
    next_value = models.BigIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "year"), name="billing_numberseries_one"
            ),
            models.CheckConstraint(
                name="billing_numberseries_from_one", condition=Q(next_value__gte=1)
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.year}"
