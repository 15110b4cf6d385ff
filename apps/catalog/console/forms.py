"""What people fill in about plans and services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog import selectors
from apps.catalog.console.states import price_text
from apps.catalog.enums import PlanBilling
from apps.identity import selectors as identity
from apps.network import selectors as network
from apps.network.enums import HoldEffect, HoldReason
from dotmac.core.console import ConsoleForm, DateField

PLANS_MAX = 200


def _choices(form: ConsoleForm, field: str, pairs: list[tuple[Any, Any]]) -> None:
    form.fields[field].choices = pairs  # type: ignore[attr-defined]


class OrderForm(ConsoleForm):
    """An order of one plan, on a customer's page."""

    plan_id = forms.TypedChoiceField(label=_("Plan"), coerce=int)
    location_id = forms.TypedChoiceField(
        label=_("Location"), coerce=int, required=False, empty_value=None
    )
    login = forms.CharField(
        label=_("Login"),
        max_length=64,
        required=False,
        strip=False,
        help_text=_("Made from the customer's reference when left empty."),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        required=False,
        strip=False,
        help_text=_("Made up when left empty."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def arrange(self) -> None:
        plans = list(selectors.plans().on_sale().order_by("name")[:PLANS_MAX])  # type: ignore[attr-defined]
        prices = selectors.current_prices([plan.pk for plan in plans], self.page.today)
        currency = self.row.currency
        pairs = [
            (plan.pk, f"{plan.name} · {price_text(price)}")
            for plan in plans
            for price in prices.get(plan.pk, ())
            if price.currency == currency
        ]
        _choices(self, "plan_id", pairs)
        places = [
            (found.pk, found.label) for found in identity.locations_of(self.row.pk)
        ]
        _choices(self, "location_id", [("", _("Not said")), *places])

    def clean_login(self) -> str | None:
        return self.cleaned_data["login"] or None

    def clean_password(self) -> str | None:
        return self.cleaned_data["password"] or None


class SuspendForm(ConsoleForm):
    """Why a service is held, and how hard."""

    reason = forms.ChoiceField(label=_("Reason"), choices=HoldReason.choices)
    effect = forms.ChoiceField(label=_("Effect"), choices=HoldEffect.choices)
    note = forms.CharField(
        label=_("Note"),
        max_length=500,
        required=False,
        help_text=_("Shown as the why of the state."),
    )


class ResumeForm(ConsoleForm):
    """Which hold is lifted; the others stay."""

    reason = forms.ChoiceField(label=_("Reason"))

    def arrange(self) -> None:
        labels = dict(HoldReason.choices)
        held = network.open_holds(self.row.access_id)
        _choices(self, "reason", [(reason, labels[reason]) for reason in held])


class ExtendForm(ConsoleForm):
    """Until when a prepaid service runs."""

    until = forms.DateTimeField(
        label=_("Until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )


class NewPlanForm(ConsoleForm):
    """A plan; its price follows."""

    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=60,
        help_text=_("In addresses and for programs: letters, digits and hyphens."),
    )
    profile_id = forms.TypedChoiceField(label=_("Speed"), coerce=int)
    pool_id = forms.TypedChoiceField(
        label=_("Addresses from"), coerce=int, required=False, empty_value=None
    )
    billing = forms.ChoiceField(label=_("Billing"), choices=PlanBilling.choices)
    tax_class = forms.SlugField(label=_("Tax class"), max_length=60, initial="standard")
    description = forms.CharField(
        label=_("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def arrange(self) -> None:
        reader, may = self.page.actor, "catalog.manage_plan"
        profiles = network.rate_profiles(reader, may).order_by("name")[:PLANS_MAX]
        pools = network.address_pools(reader, may).order_by("name")[:PLANS_MAX]
        _choices(self, "profile_id", [(row.pk, row.name) for row in profiles])
        nas = [("", _("The NAS"))]
        _choices(self, "pool_id", [*nas, *((row.pk, row.name) for row in pools)])


class PriceForm(ConsoleForm):
    """What the plan costs from a day on."""

    amount = forms.DecimalField(
        label=_("A month"), min_value=0, max_digits=17, decimal_places=6
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3)
    valid_from = DateField(label=_("From"))
