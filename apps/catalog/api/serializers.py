"""What the API shows of plans, orders and services, and what it reads."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.enums import OrderState, PlanBilling, PlanState, ShownState
from apps.catalog.models import Order, Plan, PlanPrice
from apps.catalog.selectors import ServiceView
from apps.network.enums import HoldEffect, HoldReason, UsageWindow
from apps.network.selectors import SessionView
from dotmac.core.money import exponent_of

KEY_MAX = 60


class PriceSerializer(serializers.ModelSerializer[PlanPrice]):
    amount = serializers.SerializerMethodField(help_text="Major units a month.")

    class Meta:
        model = PlanPrice
        fields = ("id", "currency", "amount", "valid_from", "valid_to")

    def get_amount(self, price: PlanPrice) -> str:
        return decimal_text(price)


class PlanSerializer(serializers.ModelSerializer[Plan]):
    state = serializers.ChoiceField(choices=PlanState.choices, read_only=True)
    billing = serializers.ChoiceField(choices=PlanBilling.choices, read_only=True)
    profile = serializers.IntegerField(source="profile_id", read_only=True)
    pool = serializers.IntegerField(source="pool_id", read_only=True, allow_null=True)
    down_kbps = serializers.IntegerField(source="profile.down_kbps", read_only=True)
    up_kbps = serializers.IntegerField(source="profile.up_kbps", read_only=True)
    prices = serializers.SerializerMethodField(help_text="Those that stand today.")

    class Meta:
        model = Plan
        fields = (
            "id", "slug", "name", "kind", "description", "state", "billing",
            "tax_class", "profile", "down_kbps", "up_kbps", "pool", "prices",
            "created_at", "updated_at",
        )  # fmt: skip

    @extend_schema_field(PriceSerializer(many=True))
    def get_prices(self, plan: Plan) -> Any:
        found = self.context.get("prices", {}).get(plan.pk, [])
        return PriceSerializer(found, many=True).data


class NewPlanSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    profile = serializers.IntegerField(min_value=1)
    pool = serializers.IntegerField(min_value=1, required=False, allow_null=True)
    billing = serializers.ChoiceField(
        choices=PlanBilling.choices, default=PlanBilling.POSTPAID
    )
    tax_class = serializers.SlugField(max_length=60, default="standard")
    description = serializers.CharField(max_length=2000, default="", allow_blank=True)


class NewPriceSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField(min_length=3, max_length=3)
    amount = serializers.DecimalField(max_digits=17, decimal_places=6, min_value=0)
    valid_from = serializers.DateField()


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class KeyField(serializers.Field[str, Any, Any, Any]):
    """An id, or the short name people gave the thing (slug, reference)."""

    default_error_messages = {"shape": _("Give an id or a short name.")}

    def to_internal_value(self, data: Any) -> str:
        # bool is an int to Python and no id to anybody.
        if isinstance(data, bool) or not isinstance(data, (int, str)):
            self.fail("shape")
        text = str(data).strip()
        if not text or len(text) > KEY_MAX or not text.isprintable():
            self.fail("shape")
        return text

    def to_representation(self, value: Any) -> Any:
        return value


class NewServiceSerializer(serializers.Serializer[Any]):
    customer = KeyField(help_text="Id or reference (C-000123).")
    plan = KeyField(help_text="Id or slug.")
    login = serializers.CharField(
        max_length=64,
        required=False,
        allow_null=True,
        trim_whitespace=False,
        help_text="Made from the customer's reference when left out.",
    )
    password = serializers.CharField(
        max_length=128,
        required=False,
        allow_null=True,
        trim_whitespace=False,
        write_only=True,
        help_text="Made up when left out.",
    )
    location = serializers.IntegerField(min_value=1, required=False, allow_null=True)


class SuspendSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(
        choices=HoldReason.choices, default=HoldReason.ADMIN
    )
    effect = serializers.ChoiceField(
        choices=HoldEffect.choices, default=HoldEffect.REJECT
    )
    note = serializers.CharField(max_length=500, default="", allow_blank=True)


class ResumeSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(
        choices=HoldReason.choices, default=HoldReason.ADMIN
    )


class ExtendSerializer(serializers.Serializer[Any]):
    until = serializers.DateTimeField()


class ServiceHoldSerializer(serializers.Serializer[Any]):
    """Why the service may not connect freely."""

    reason = serializers.ChoiceField(choices=HoldReason.choices)
    effect = serializers.ChoiceField(choices=HoldEffect.choices)
    note = serializers.CharField()
    placed_at = serializers.DateTimeField()


class ServiceSerializer(serializers.Serializer[ServiceView]):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=ShownState.choices)
    customer = serializers.IntegerField(source="customer_id")
    customer_reference = serializers.CharField()
    customer_name = serializers.CharField()
    plan = serializers.IntegerField(source="plan_id")
    plan_slug = serializers.CharField()
    plan_name = serializers.CharField()
    down_kbps = serializers.IntegerField()
    up_kbps = serializers.IntegerField()
    location = serializers.IntegerField(source="location_id", allow_null=True)
    login = serializers.CharField(allow_null=True)
    addresses = serializers.ListField(child=serializers.CharField())
    online = serializers.BooleanField()
    holds = ServiceHoldSerializer(many=True)
    account = serializers.IntegerField(source="access_id", allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    activated_at = serializers.DateTimeField(allow_null=True)
    active_from_date = serializers.DateField(allow_null=True)
    terminated_at = serializers.DateTimeField(allow_null=True)
    ends_date = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class StepSerializer(serializers.Serializer[Any]):
    """One step of provisioning and what it answered."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    answer = serializers.CharField()
    attempts = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ProvisioningSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    job = serializers.IntegerField(source="job_id")
    state = serializers.CharField()
    finished_at = serializers.DateTimeField(allow_null=True)
    steps = StepSerializer(many=True)


class JobStartedSerializer(serializers.Serializer[Any]):
    """Watch GET /api/v1/jobs/{job}."""

    job = serializers.IntegerField(help_text="Id of the job.")
    state = serializers.CharField()


class CredentialsSerializer(serializers.Serializer[Any]):
    login = serializers.CharField()
    password = serializers.CharField()


class OrderItemSerializer(serializers.Serializer[Any]):
    plan = serializers.IntegerField(source="plan_id")
    service = serializers.IntegerField(source="service_id")


class OrderSerializer(serializers.ModelSerializer[Order]):
    state = serializers.ChoiceField(choices=OrderState.choices, read_only=True)
    customer = serializers.IntegerField(source="customer_id", read_only=True)
    items = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields = (
            "id", "reference", "customer", "state", "placed_at", "fulfilled_at",
            "items", "created_at", "updated_at",
        )  # fmt: skip

    @extend_schema_field(OrderItemSerializer(many=True))
    def get_items(self, order: Order) -> Any:
        found = self.context.get("items", {}).get(order.pk, [])
        return OrderItemSerializer(found, many=True).data


class SessionSerializer(serializers.Serializer[SessionView]):
    """One session, live or past; octets as the NAS counts them."""

    id = serializers.IntegerField()
    session_key = serializers.UUIDField()
    generation = serializers.IntegerField()
    service = serializers.SerializerMethodField()
    account = serializers.IntegerField(source="account_id", allow_null=True)
    login = serializers.CharField()
    online = serializers.BooleanField(help_text="False when its NAS went silent.")
    nas = serializers.IntegerField(source="nas_id", allow_null=True)
    nas_name = serializers.CharField()
    framed_address = serializers.CharField()
    mac = serializers.CharField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.IntegerField()
    octets_in = serializers.IntegerField(help_text="From the customer.")
    octets_out = serializers.IntegerField(help_text="To the customer.")
    cause = serializers.CharField()

    def get_service(self, session: SessionView) -> int | None:
        found: int | None = self.context["services"].get(session.account_id)
        return found


class UsageHourSerializer(serializers.Serializer[Any]):
    hour_at = serializers.DateTimeField()
    octets_in = serializers.IntegerField()
    octets_out = serializers.IntegerField()


class UsageWindowSerializer(serializers.Serializer[Any]):
    window = serializers.ChoiceField(choices=UsageWindow.choices)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Excluded.")
    octets_in = serializers.IntegerField(help_text="From the customer.")
    octets_out = serializers.IntegerField(help_text="To the customer.")
    exact = serializers.BooleanField(
        help_text="False: hours are cut on the operator's clock, part of an hour off;"
        " the hour in which the window begins counts to the one before."
    )


class UsageSerializer(serializers.Serializer[Any]):
    service = serializers.IntegerField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    octets_in = serializers.IntegerField(help_text="From the customer.")
    octets_out = serializers.IntegerField(help_text="To the customer.")
    hours = UsageHourSerializer(many=True)
    zone = serializers.CharField(help_text="The clock of the customer's unit.")
    windows = UsageWindowSerializer(
        many=True, help_text="The day, week and month of now on that clock, so far."
    )


def decimal_text(price: PlanPrice) -> str:
    """As many digits as the price has, at least those of its currency."""
    plain = price.amount.normalize()
    digits = max(exponent_of(price.currency), -int(plain.as_tuple().exponent))
    return f"{price.amount:.{digits}f}"
