from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.identity.enums import (
    FIRST_STATES,
    LOWER_UNITS,
    ContactRole,
    CustomerKind,
    CustomerState,
)
from apps.identity.models import (
    Contact,
    Customer,
    OrganisationUnit,
    ServiceLocation,
)
from apps.identity.selectors import UnitZone
from dotmac.core.zones import NAME_MAX

_ZONE_HELP = "As in Africa/Lagos; empty: that of the unit above."


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """Of `source`, `owner` and `parent` portal users read nothing."""

    unit = serializers.IntegerField(source="unit_id")
    owner = serializers.IntegerField(source="owner_id", allow_null=True)
    parent = serializers.IntegerField(  # type: ignore[assignment]
        source="parent_id", allow_null=True, help_text="Its head office or reseller."
    )
    merged_into = serializers.IntegerField(
        source="merged_into_id", allow_null=True, help_text="Whose duplicate it was."
    )
    custom = serializers.DictField(
        help_text="Values of the operator's own fields by slug: texts or booleans. "
        "Portal users read those that are meant for the portal."
    )

    class Meta:
        model = Customer
        fields = (
            "id", "reference", "kind", "name", "email", "phone", "state", "unit",
            "currency", "address", "city", "region", "postal_code", "country",
            "tax_number", "source", "owner", "parent", "custom", "activated_at",
            "closed_at", "merged_into", "erased_at", "created_at", "updated_at",
        )  # fmt: skip


class CustomerFields(serializers.Serializer[Any]):
    """What may be said about a customer; the operation judges the values."""

    kind = serializers.ChoiceField(choices=CustomerKind.choices)
    name = serializers.CharField(max_length=200)
    email = serializers.CharField(
        max_length=254, required=False, allow_blank=True, help_text="An e-mail address."
    )
    phone = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="In any usual spelling; kept as +2348031234567.",
    )
    unit = serializers.IntegerField(required=False, source="unit_id", min_value=1)
    address = serializers.CharField(max_length=300, required=False, allow_blank=True)
    city = serializers.CharField(max_length=120, required=False, allow_blank=True)
    region = serializers.CharField(max_length=120, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    country = serializers.CharField(max_length=2, required=False, allow_blank=True)
    tax_number = serializers.CharField(max_length=40, required=False, allow_blank=True)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=80,
        required=False,
        allow_blank=True,
        help_text="Where a lead came from, in the operator's words.",
    )
    owner = serializers.IntegerField(
        required=False,
        allow_null=True,
        source="owner_id",
        min_value=1,
        help_text="The member of staff who follows it up.",
    )
    custom = serializers.DictField(
        required=False,
        help_text="Values of the operator's own fields by slug; null takes one away.",
    )
    confirm_duplicate = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Accept that another open customer has this address or number.",
    )


class NewCustomer(CustomerFields):
    """Body of POST. `email` or `phone` is needed."""

    state = serializers.ChoiceField(
        choices=FIRST_STATES,
        required=False,
        default=CustomerState.PROSPECT,
    )


class WholeCustomer(CustomerFields):
    """Body of PUT: what is left out becomes empty; the unit stays."""


class CustomerChanges(CustomerFields):
    """Body of PATCH: what is left out stays."""

    kind = serializers.ChoiceField(choices=CustomerKind.choices, required=False)
    name = serializers.CharField(max_length=200, required=False)


class LocationSerializer(serializers.ModelSerializer[ServiceLocation]):
    """Who of the staff looked at a place, and what they noted, is for staff."""

    customer = serializers.IntegerField(source="customer_id")

    class Meta:
        model = ServiceLocation
        fields = (
            "id", "customer", "label", "address", "city", "latitude", "longitude",
            "serviceability", "serviceability_note", "checked_at", "checked_by",
            "created_at",
        )  # fmt: skip

    def to_representation(self, instance: ServiceLocation) -> dict[str, Any]:
        told = super().to_representation(instance)
        if self.context.get("for_portal"):
            told |= dict.fromkeys(told.keys() & _NOTED, "")
        return told


_NOTED = {"serviceability_note", "checked_by"}


class NewLocation(serializers.Serializer[Any]):
    # DRF keeps a field's own label under this name; a serializer has none.
    label = serializers.CharField(max_length=80)  # type: ignore[assignment]
    address = serializers.CharField(max_length=300)
    city = serializers.CharField(
        max_length=120, required=False, allow_blank=True, default=""
    )
    latitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, required=False, allow_null=True, default=None
    )
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, required=False, allow_null=True, default=None
    )


class ContactSerializer(serializers.ModelSerializer[Contact]):
    customer = serializers.IntegerField(source="customer_id")

    class Meta:
        model = Contact
        fields = (
            "id", "customer", "name", "role", "email", "phone", "is_primary",
            "gets_bills", "gets_outages", "created_at",
        )  # fmt: skip


class NewContact(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(
        choices=ContactRole.choices, required=False, default=ContactRole.GENERAL
    )
    email = serializers.CharField(
        max_length=254, required=False, allow_blank=True, default=""
    )
    phone = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default=""
    )
    is_primary = serializers.BooleanField(required=False, default=False)
    gets_bills = serializers.BooleanField(
        required=False, default=False, help_text="Needs an e-mail address."
    )
    gets_outages = serializers.BooleanField(required=False, default=False)


class UnitSerializer(serializers.ModelSerializer[OrganisationUnit]):
    parent = serializers.IntegerField(  # type: ignore[assignment]
        source="parent_id", allow_null=True
    )
    time_zone = serializers.CharField(
        read_only=True, help_text="Its own; empty: that of the unit above."
    )
    zone = serializers.SerializerMethodField(
        help_text="The one in force: its own, of a unit above, or the operator's."
    )

    class Meta:
        model = OrganisationUnit
        fields = ("id", "name", "kind", "parent", "time_zone", "zone", "created_at")

    def get_zone(self, unit: OrganisationUnit) -> str:
        zones: dict[int, UnitZone] = self.context["zones"]
        return zones[unit.pk].zone.key


class NewUnit(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=LOWER_UNITS)
    parent = serializers.IntegerField(  # type: ignore[assignment]
        min_value=1, source="parent_id"
    )
    time_zone = serializers.CharField(
        max_length=NAME_MAX, required=False, allow_blank=True, default="",
        help_text=_ZONE_HELP,
    )  # fmt: skip


class UnitChanges(serializers.Serializer[Any]):
    time_zone = serializers.CharField(
        max_length=NAME_MAX, allow_blank=True, help_text=_ZONE_HELP
    )
