"""Customers, and who and where they are."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower
from guardian.models import UserObjectPermissionBase

from apps.identity.enums import CustomerKind, CustomerState, MemberRights
from dotmac.core.actors import Actor
from dotmac.core.models import Record

_OPEN = ~Q(state=CustomerState.CLOSED)


MERGES_DEEP_MAX = 20


class CustomerQuerySet(models.QuerySet["Customer"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def open(self) -> Self:
        return self.filter(_OPEN)

    def same_as(self, customer_id: int) -> Self:
        """The customer, and the duplicates that were merged into it, level by level."""
        known, newest = {customer_id}, {customer_id}
        for _ in range(MERGES_DEEP_MAX):
            found = self.filter(merged_into__in=newest).values_list("pk", flat=True)
            newest = set(found) - known
            if not newest:
                break
            known |= newest
        return self.filter(pk__in=known)

    def visible_to(self, actor: Actor, permission: str) -> Self:
        """The customers that this permission of this actor reaches."""
        scope = actor.scope(permission)
        if scope.everything:
            return self
        if scope.granted and scope.is_single:
            # A join, of which PostgreSQL reads the newest first by grants' own index.
            [source] = scope.granted
            return self.filter(**source.joined("grants"))
        # Only what is there: Django takes its time to find out that nothing is.
        reached = Q(unit_id__in=scope.unit_ids) if scope.unit_ids else Q()
        for customers in scope.customer_sources():
            reached |= Q(pk__in=customers)
        if not reached:
            return self.none()
        return self.filter(reached)


class Customer(Record):
    """Someone who buys, or may come to buy, from the operator."""

    reference = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=16, choices=CustomerKind)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=16, blank=True)
    state = models.CharField(
        max_length=16, choices=CustomerState, default=CustomerState.PROSPECT
    )
    unit = models.ForeignKey(
        "identity.OrganisationUnit", models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=120, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    # Where a lead came from, in the operator's own words, and who follows it up.
    source = models.CharField(max_length=80, blank=True)
    owner = models.ForeignKey(
        "identity.User",
        models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
    )
    # The head office of a branch, the reseller of a customer. A tree: see the trigger.
    parent = models.ForeignKey(
        "self", models.PROTECT, related_name="+", null=True, blank=True
    )
    # Values of the operator's own fields (CustomField) by slug.
    custom = models.JSONField(default=dict, blank=True)
    # Somebody looked and said that this is another customer all the same.
    duplicate_confirmed = models.BooleanField(default=False)
    activated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # The customer of which this was a duplicate; see CustomerMerge.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, related_name="+", null=True, blank=True, editable=False
    )
    # When the person behind it was forgotten; nothing brings that back.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What people type into a search box; one index serves all of it.
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                "reference",
                Value(" "),
                "name",
                Value(" "),
                "email",
                Value(" "),
                "phone",
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("unit", "id"), name="identity_customer_unit"),
            models.Index(fields=("state", "id"), name="identity_customer_state"),
            models.Index(fields=("kind", "id"), name="identity_customer_kind"),
            models.Index(Lower("email"), name="identity_customer_email"),
            models.Index(Lower("name"), name="identity_customer_name"),
            models.Index(fields=("phone",), name="identity_customer_phone"),
            GinIndex(
                OpClass("search_text", name="gin_trgm_ops"),
                name="identity_customer_search",
            ),
            GinIndex(
                OpClass("custom", name="jsonb_path_ops"),
                name="identity_customer_custom",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="identity_customer_email_once",
                condition=_OPEN & Q(duplicate_confirmed=False) & ~Q(email=""),
            ),
            models.UniqueConstraint(
                F("phone"),
                name="identity_customer_phone_once",
                condition=_OPEN & Q(duplicate_confirmed=False) & ~Q(phone=""),
            ),
            models.CheckConstraint(
                name="identity_customer_phone_e164",
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
            ),
            models.CheckConstraint(
                name="identity_customer_closed_has_time",
                condition=Q(state=CustomerState.CLOSED, closed_at__isnull=False)
                | (_OPEN & Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="identity_customer_reachable",
                condition=~Q(email="") | ~Q(phone="") | Q(erased_at__isnull=False),
            ),
            models.CheckConstraint(
                name="identity_customer_merged_is_closed",
                condition=Q(merged_into__isnull=True)
                | Q(state=CustomerState.CLOSED) & ~Q(merged_into=F("id")),
            ),
            models.CheckConstraint(
                name="identity_customer_erased_is_closed",
                condition=Q(erased_at__isnull=True)
                | Q(state=CustomerState.CLOSED, email="", phone="", address=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.reference} {self.name}"


class CustomerGrant(UserObjectPermissionBase):
    """django-guardian's direct table: one permission of one user on one customer."""

    # guardian finds this table through the reverse relation, so it has a name.
    content_object = models.ForeignKey(Customer, models.CASCADE, related_name="grants")


class Membership(Record):
    """A portal user acts for a customer."""

    user = models.ForeignKey(
        "identity.User", models.CASCADE, related_name="+", db_index=False
    )
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    rights = models.CharField(
        max_length=16, choices=MemberRights, default=MemberRights.FULL
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "customer"), name="identity_membership_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} for {self.customer_id}"
