"""Form bases for screens and actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from dotmac.core.console.page import Page
from dotmac.core.money import Money, MoneyError


class ConsoleForm(forms.Form):
    """A Django form that knows the page, and the row where there is one.

    Narrow querysets of choice fields in `arrange` by `self.page.actor`.
    """

    def __init__(self, *args: Any, page: Page, row: Any = None, **kwargs: Any) -> None:
        self.page = page
        self.row = row
        super().__init__(*args, **kwargs)
        self.arrange()

    def arrange(self) -> None:
        """Hook: set choices, initial values and widgets from page and row."""


class MoneyField(forms.CharField):
    """A decimal amount of one currency; cleans to Money.

    The currency defaults to the operator's; `arrange` may set it per row:
    `self.fields["amount"].currency = row.currency`.
    """

    def __init__(
        self, *, currency: str = "", positive: bool = True, **kwargs: Any
    ) -> None:
        self.currency = currency or settings.OPERATOR_CURRENCY
        self.positive = positive
        kwargs.setdefault("max_length", 24)
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        return {**attrs, "inputmode": "decimal", "autocomplete": "off"}

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip().replace(",", "")
        return text or None

    def prepare_value(self, value: Any) -> Any:
        return value.plain() if isinstance(value, Money) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            money = Money.of(text, self.currency)
        except MoneyError as error:
            raise forms.ValidationError(
                _("Write an amount such as 12500.00."), code="invalid"
            ) from error
        if self.positive and money.amount_minor <= 0:
            raise forms.ValidationError(
                _("The amount must be greater than zero."), code="not_positive"
            )
        return money


class DateField(forms.DateField):
    """A calendar date with the browser's own picker."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    input_formats = ["%Y-%m-%d"]
