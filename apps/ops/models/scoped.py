"""Rows of ops are scoped by copied ids, since ops has no key upward."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q

from dotmac.core.actors import Actor

RowT = TypeVar("RowT", bound=models.Model)


class ScopedQuerySet(models.QuerySet[RowT]):
    def visible_to(self, actor: Actor, permission: str) -> Self:
        """The rows within the permission's units and customers."""
        scope = actor.scope(permission)
        if scope.everything:
            return self
        if not scope:
            return self.none()
        reached = Q(unit_id__in=scope.unit_ids)
        for customers in scope.customer_sources():
            reached |= Q(customer_id__in=customers)
        return self.filter(reached)


class ScopedColumns(models.Model):
    """Whose row it is, as plain integers."""

    customer_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    unit_id = models.BigIntegerField(null=True, blank=True, db_index=True)

    class Meta:
        abstract = True


class ActorColumns(models.Model):
    """Who did it, copied: it outlives the account."""

    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_label = models.CharField(max_length=200)

    class Meta:
        abstract = True


class SubjectColumns(models.Model):
    """What it is about: a SubjectRef in columns."""

    subject_app = models.CharField(max_length=32)
    subject_kind = models.CharField(max_length=48)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def subject_key(self) -> str:
        return f"{self.subject_app}.{self.subject_kind}:{self.subject_id}"


def actor_columns(actor: Actor) -> dict[str, Any]:
    return {
        "actor_kind": str(actor.kind),
        "actor_id": actor.id,
        "actor_label": actor.label[:200],
    }
