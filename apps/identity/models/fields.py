"""What the operator adds to customers: fields of its own, and tags."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.identity.enums import FieldKind, TagColour
from apps.identity.models.customer import Customer
from dotmac.core.models import Record


class CustomField(Record):
    """A field that staff defined; customers hold its values in `Customer.custom`.

    Slug and kind never change: values were written for them. An archived field
    takes no new values and is shown nowhere, but the values stay.
    """

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=FieldKind)
    choices = models.JSONField(default=list, blank=True)
    required = models.BooleanField(default=False)
    in_list = models.BooleanField(default=False)
    in_portal = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_customfield_slug",
                condition=Q(slug__regex=r"^[a-z][a-z0-9_]{0,39}$"),
            ),
            models.CheckConstraint(
                name="identity_customfield_choices",
                condition=(Q(kind=FieldKind.CHOICE) & ~Q(choices=[]))
                | (~Q(kind=FieldKind.CHOICE) & Q(choices=[])),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Tag(Record):
    """A word that staff stick to customers."""

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=40)
    colour = models.CharField(max_length=16, choices=TagColour)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_tag_slug",
                condition=Q(slug__regex=r"^[a-z0-9][a-z0-9-]{0,39}$"),
            ),
        )

    def __str__(self) -> str:
        return self.name


class CustomerTag(models.Model):
    """One tag on one customer."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "tag"), name="identity_customertag_once"
            ),
        )
        indexes = (
            models.Index(fields=("tag", "customer"), name="identity_customertag_of"),
        )

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.customer_id}"
