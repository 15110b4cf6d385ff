"""What federation holds about a customer: who its people are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, QuerySet

from apps.federation.models import LinkedPerson
from apps.identity.selectors import only_users_of
from dotmac.core.personal import Held, rows_of


def held_of(customer_id: int) -> Iterable[Held]:
    """By which provider its portal users come in, and what that says of them."""
    yield Held("federation.linked_people", rows_of(
        linked_people_of(customer_id), "subject", "email", "groups", "created_at",
        "seen_at", provider=F("connection__name"), username=F("user__username"),
    ))  # fmt: skip


def linked_people_of(customer_id: int) -> QuerySet[LinkedPerson]:
    """The links of portal users who act for this customer and for nobody else."""
    return LinkedPerson.objects.filter(user__in=only_users_of(customer_id))
