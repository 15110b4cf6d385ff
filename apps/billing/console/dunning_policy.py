"""The form that changes when customers are reminded and cut off."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.billing import operations, selectors
from apps.billing.rules.dunning import Step, StepKind
from dotmac.core.console import (
    ConsoleForm,
    Done,
    FormScreen,
    MoneyField,
    Page,
    list_url,
    register_screen,
)
from dotmac.core.money import Money

DAYS_MAX = 365
LINES_MAX = 200
WEEKDAYS = (
    (1, gettext_lazy("Monday")),
    (2, gettext_lazy("Tuesday")),
    (3, gettext_lazy("Wednesday")),
    (4, gettext_lazy("Thursday")),
    (5, gettext_lazy("Friday")),
    (6, gettext_lazy("Saturday")),
    (7, gettext_lazy("Sunday")),
)


class PolicyForm(ConsoleForm):
    """Reminders, the cut-off, and when nobody is cut off."""

    reminders = forms.CharField(
        label=gettext_lazy("Reminders, days after the due date"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Such as: 1, 7"),
    )
    cut_off = forms.IntegerField(
        label=gettext_lazy("Cut-off, days after the due date"),
        min_value=1,
        max_value=DAYS_MAX,
        required=False,
        help_text=gettext_lazy("Empty: nobody is ever cut off."),
    )
    ignore_below = MoneyField(
        label=gettext_lazy("Overdue debt up to this much leads to nothing"),
        positive=False,
    )
    cut_off_weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days of cut-off"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.SelectMultiple({"size": 7}),
    )
    cut_off_from_hour = forms.IntegerField(
        label=gettext_lazy("From (hour)"), min_value=0, max_value=23
    )
    cut_off_to_hour = forms.IntegerField(
        label=gettext_lazy("Until (hour)"), min_value=1, max_value=24
    )
    holidays = forms.CharField(
        label=gettext_lazy("Holidays without cut-off"),
        required=False,
        max_length=LINES_MAX * 12,
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("One date on each line: 2026-12-25"),
    )

    def clean_reminders(self) -> list[int]:
        parts = self.cleaned_data["reminders"].replace(",", " ").split()
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise forms.ValidationError(_("Write whole numbers, such as 1, 7."))
        return [int(part) for part in parts]

    def clean_holidays(self) -> list[date]:
        try:
            return [
                date.fromisoformat(line)
                for line in self.cleaned_data["holidays"].split()[:LINES_MAX]
            ]
        except ValueError as error:
            raise forms.ValidationError(
                _("Write dates such as 2026-12-25, one on each line.")
            ) from error


@register_screen
class SetPolicy(FormScreen):
    slug = "dunning/policy"
    title = gettext_lazy("Dunning policy")
    permission = "billing.set_dunning_policy"
    form = PolicyForm
    intro = gettext_lazy(
        "Counted from the due date of the earliest unpaid invoice. The next run "
        "judges by the new policy; what was done stays."
    )

    def initial(self, page: Page) -> dict[str, Any]:
        policy = selectors.dunning_policy()
        if policy is None:
            return {"cut_off_from_hour": 0, "cut_off_to_hour": 24}
        days: dict[StepKind, list[int]] = {kind: [] for kind in StepKind}
        for step in policy.steps:
            days[step.kind].append(step.days_overdue)
        currency = settings.OPERATOR_CURRENCY
        return {
            "reminders": ", ".join(map(str, days[StepKind.REMIND])),
            "cut_off": next(iter(days[StepKind.WALLED_GARDEN]), None),
            "ignore_below": Money(policy.ignore_below_minor, currency),
            "cut_off_weekdays": sorted(policy.cut_off_weekdays),
            "cut_off_from_hour": policy.cut_off_from_hour,
            "cut_off_to_hour": policy.cut_off_to_hour,
            "holidays": "\n".join(map(str, sorted(policy.holidays))),
        }

    def run(self, data: dict[str, Any], page: Page) -> Done:
        operations.set_dunning_policy(
            steps=_steps(data["reminders"], data["cut_off"]),
            ignore_below_minor=data["ignore_below"].amount_minor,
            cut_off_weekdays=data["cut_off_weekdays"],
            cut_off_from_hour=data["cut_off_from_hour"],
            cut_off_to_hour=data["cut_off_to_hour"],
            holidays=data["holidays"],
            actor=page.actor,
            now=page.now,
        )
        return Done(_("The policy is in force."), list_url("dunning"))


def _steps(reminders: list[int], cut_off: int | None) -> list[Step]:
    steps = [
        Step(number=number, kind=StepKind.REMIND, days_overdue=days)
        for number, days in enumerate(reminders, 1)
    ]
    if cut_off is not None:
        wall = StepKind.WALLED_GARDEN
        steps.append(Step(number=len(steps) + 1, kind=wall, days_overdue=cut_off))
    return steps
