"""Serializer fields with one meaning everywhere."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dotmac.core.money import Money, MoneyError

_MONEY_SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
        "currency": {"type": "string", "minLength": 3, "maxLength": 3},
    },
    "required": ["amount", "currency"],
    "example": {"amount": "12500.00", "currency": "NGN"},
}


@extend_schema_field(_MONEY_SCHEMA)
class MoneyField(serializers.Field[Money, dict[str, str], dict[str, str], Money]):
    """{"amount": "12500.00", "currency": "NGN"} to and from Money."""

    default_error_messages = {
        "shape": _('Money is {{"amount": "12500.00", "currency": "NGN"}}.'),
        "amount": _("{reason}"),
    }

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, dict) or set(data) != {"amount", "currency"}:
            self.fail("shape")
        amount, currency = data["amount"], data["currency"]
        # A JSON number would have passed through a float already.
        if not isinstance(amount, str) or not isinstance(currency, str):
            self.fail("shape")
        try:
            return Money.of(amount, currency)
        except MoneyError as error:
            self.fail("amount", reason=str(error))

    def to_representation(self, value: Money) -> dict[str, str]:
        return {"amount": value.plain(), "currency": value.currency}


@extend_schema_field(_MONEY_SCHEMA)
class StoredMoneyField(serializers.Field[Money, dict[str, str], dict[str, str], Any]):
    """Reads two columns, `<name>_minor` and `currency`, of the row."""

    def __init__(self, minor: str, **kwargs: Any) -> None:
        self.minor = minor
        super().__init__(read_only=True, source="*", **kwargs)

    def to_representation(self, value: Any) -> dict[str, str]:
        money = Money(getattr(value, self.minor), value.currency)
        return {"amount": money.plain(), "currency": money.currency}
