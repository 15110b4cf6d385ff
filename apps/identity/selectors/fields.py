"""Fields and tags of the operator, and who has which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.identity.models import CustomerTag, CustomField, Tag
from apps.identity.rules.fields import ValueRefused, stored_value


def custom_fields() -> QuerySet[CustomField]:
    """Fields in use, by name."""
    return CustomField.objects.filter(archived_at=None).order_by("name", "pk")


def all_fields() -> QuerySet[CustomField]:
    """Fields in use and archived ones."""
    return CustomField.objects.all()


def tags() -> QuerySet[Tag]:
    return Tag.objects.order_by("name", "pk")


def all_tags() -> QuerySet[Tag]:
    """Without an order, for lists that bring their own."""
    return Tag.objects.all()


def tags_of(customer_ids: Iterable[int]) -> dict[int, list[Tag]]:
    """The tags of many customers in one statement, each list by name."""
    found: dict[int, list[Tag]] = defaultdict(list)
    rows = CustomerTag.objects.filter(customer_id__in=list(customer_ids))
    for row in rows.select_related("tag").order_by("tag__name", "pk"):
        found[row.customer_id].append(row.tag)
    return found


def has_tag(slug: str) -> Q:
    """Customers with this tag."""
    held = CustomerTag.objects.filter(customer_id=OuterRef("pk"), tag__slug=slug)
    return Q(Exists(held))


def has_value(field: CustomField, text: str) -> Q:
    """Customers whose field holds exactly this; raises ValueError for none."""
    value = stored_value(field.kind, field.choices, text)
    return Q(custom__contains={field.slug: value})


def has_named_value(text: str) -> Q:
    """The same for "slug:value", as the API has it."""
    slug, colon, value = text.partition(":")
    field = custom_fields().filter(slug=slug).first()
    if not colon or field is None:
        raise ValueRefused("slug:value of one of the operator's fields.")
    return has_value(field, value)
