"""Sticking tags to customers, one or many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.identity.models import Customer, CustomerTag
from apps.identity.operations.customers import note_changes, subject_of
from apps.identity.operations.fields import tags_named
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound

CUSTOMERS_MAX = 200


@transaction.atomic
def tag_customers(
    *,
    customer_ids: Sequence[int],
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    actor: Actor,
    now: datetime,
) -> int:
    """Add and take away tags by slug; how many customers that changed. Repeatable.

    Closed customers may be tagged: tags sort history as well.
    """
    if len(customer_ids) > CUSTOMERS_MAX:
        raise InvalidInput(f"At most {CUSTOMERS_MAX} customers.", field="tags")
    customers = list(Customer.objects.locked().filter(pk__in=customer_ids))
    if len(customers) != len(set(customer_ids)):
        raise NotFound
    wanted, unwanted = tags_named(add), tags_named(remove)
    before = tag_slugs_of([row.pk for row in customers])

    CustomerTag.objects.filter(customer__in=customers, tag__in=unwanted).delete()
    CustomerTag.objects.bulk_create(
        (CustomerTag(customer=row, tag=tag) for row in customers for tag in wanted),
        ignore_conflicts=True,
    )
    after = tag_slugs_of([row.pk for row in customers])
    changed = [row for row in customers if before[row.pk] != after[row.pk]]
    for row in changed:
        pair = [", ".join(each[row.pk]) for each in (before, after)]
        note_changes(row, {"tags": pair}, actor=actor, now=now)
        ops.record(
            action="identity.tag_customer",
            subject=subject_of(row),
            actor=actor,
            now=now,
            changes={"tags": pair},
            customer_id=row.pk,
            unit_id=row.unit_id,
        )
    return len(changed)


@transaction.atomic
def set_tags(
    *, customer_id: int, tags: Sequence[str], actor: Actor, now: datetime
) -> int:
    """Exactly these tags; 1 when that changed something, else 0."""
    held = tag_slugs_of([customer_id])[customer_id]
    return tag_customers(
        customer_ids=[customer_id],
        add=tags,
        remove=[slug for slug in held if slug not in set(tags)],
        actor=actor,
        now=now,
    )


def tag_slugs_of(customer_ids: Sequence[int]) -> dict[int, list[str]]:
    """The slugs each customer has, sorted."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = CustomerTag.objects.filter(customer_id__in=customer_ids)
    for pk, slug in rows.order_by("tag__slug").values_list("customer_id", "tag__slug"):
        found[pk].append(slug)
    return found
