"""Bodies and answers of what belongs to a customer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.identity.api.serializers import NewContact, NewLocation
from apps.identity.enums import ContactRole, Serviceability
from apps.identity.models import CustomerNote
from apps.identity.models.history import NOTE_CHARACTERS_MAX

_ANSWERS = [
    pair for pair in Serviceability.choices if pair[0] != Serviceability.UNKNOWN
]


class ContactChanges(NewContact):
    """Body of PATCH: what is left out stays."""

    name = serializers.CharField(max_length=150, required=False)
    role = serializers.ChoiceField(choices=ContactRole.choices, required=False)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    is_primary = serializers.BooleanField(required=False)
    gets_bills = serializers.BooleanField(required=False)
    gets_outages = serializers.BooleanField(required=False)


class LocationChanges(NewLocation):
    """Body of PATCH: what is left out stays."""

    label = serializers.CharField(max_length=80, required=False)
    address = serializers.CharField(max_length=300, required=False)
    city = serializers.CharField(max_length=120, required=False, allow_blank=True)
    latitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, required=False, allow_null=True
    )
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, required=False, allow_null=True
    )


class ServiceabilityCheck(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(choices=_ANSWERS)
    note = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default=""
    )


class NoteSerializer(serializers.ModelSerializer[CustomerNote]):
    customer = serializers.IntegerField(source="customer_id")
    by = serializers.CharField(source="actor_label")

    class Meta:
        model = CustomerNote
        fields = ("id", "customer", "at", "by", "text", "pinned", "edited_at")


class NewNote(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=NOTE_CHARACTERS_MAX)
    pinned = serializers.BooleanField(required=False, default=False)


class NoteChanges(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=NOTE_CHARACTERS_MAX, required=False)
    pinned = serializers.BooleanField(required=False)


class NewParent(serializers.Serializer[Any]):
    parent = serializers.IntegerField(  # type: ignore[assignment]
        min_value=1, allow_null=True
    )


class Reason(serializers.Serializer[Any]):
    reason = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default=""
    )


class Reopening(Reason):
    confirm_duplicate = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Accept that another open customer has this address or number.",
    )


class Erasure(serializers.Serializer[Any]):
    confirm = serializers.CharField(
        max_length=24, help_text="The customer's reference, such as C-000123."
    )
