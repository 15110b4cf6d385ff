"""Who did something, copied into the row: it outlives the account."""

from __future__ import annotations

from typing import Any

from django.db import models

from dotmac.core.actors import Actor


class Signed(models.Model):
    """Columns for the actor of a row of history."""

    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_label = models.CharField(max_length=200)

    class Meta:
        abstract = True


def signed_by(actor: Actor) -> dict[str, Any]:
    """The values of those columns."""
    return {
        "actor_kind": str(actor.kind),
        "actor_id": actor.id,
        "actor_label": actor.label[:200],
    }
