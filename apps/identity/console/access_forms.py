"""What people choose and type about roles, rights and rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.identity import selectors
from apps.identity.enums import RuleEffect, UnitKind
from apps.identity.models import AccessRule
from dotmac.core.console import ConsoleForm
from dotmac.core.permissions import catalogue
from dotmac.core.zones import zone_names

_CHOICES_MAX = 500
_UNIT_KINDS = (UnitKind.BRANCH, UnitKind.RESELLER)
_APPS = {
    "identity": _("Customers and staff"),
    "federation": _("Sign-in providers and applications"),
    "network": _("Network"),
    "catalog": _("Plans and services"),
    "billing": _("Money"),
    "analytics": _("Figures"),
    "ops": _("Operation"),
}


def permissions_by_app() -> list[tuple[Any, list[tuple[str, str]]]]:
    """The catalogue in groups, each permission with its meaning."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, meaning in catalogue().items():
        app = name.partition(".")[0]
        groups.setdefault(app, []).append((name, f"{meaning} ({name})"))
    order = [*(app for app in _APPS if app in groups), *(set(groups) - set(_APPS))]
    return [(_APPS.get(app, app), groups[app]) for app in order]


class RoleForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    permissions = forms.MultipleChoiceField(
        label=_("What it allows"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("You can only give what you hold yourself."),
    )

    def arrange(self) -> None:
        self.fields["permissions"].choices = permissions_by_app()  # type: ignore[attr-defined]


def _zone_choices(own: str, otherwise: Any) -> list[tuple[Any, Any]]:
    """The zones by continent; one's own stays choosable though its name is old."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zone_names()):
        continent, _slash, place = name.partition("/")
        if place and continent != "Etc":
            text = name.replace("_", " ")
            groups.setdefault(continent, []).append((name, text))
    listed = {name for names in groups.values() for name, _text in names}
    plain = [name for name in {"UTC", own} if name and name not in listed]
    return [
        ("", otherwise),
        *((name, name) for name in sorted(plain)),
        *groups.items(),
    ]


class _ZoneForm(ConsoleForm):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Days, weeks and months of usage are cut by its clock."),
    )

    def arrange(self) -> None:
        own, otherwise = "", _("That of the unit above")
        if self.row is not None:
            own = self.row.time_zone
        if self.row is not None and self.row.parent_id is None:
            otherwise = _("That of the setting OPERATOR_TIME_ZONE")
        choices = _zone_choices(own, otherwise)
        self.fields["time_zone"].choices = choices  # type: ignore[attr-defined]


class UnitZoneForm(_ZoneForm):
    """Another clock for a unit that is there."""


class UnitForm(_ZoneForm):
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Once among its neighbours.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(kind.value, kind.label) for kind in _UNIT_KINDS],
        help_text=_("A branch is part of you; a reseller sells in his own name."),
    )
    parent_id = forms.TypedChoiceField(
        label=_("Below"),
        coerce=int,
        help_text=_("Who holds a role there reaches this unit as well."),
    )

    field_order = ("name", "kind", "parent_id", "time_zone")

    def arrange(self) -> None:
        super().arrange()
        units = selectors.units_visible_to(self.page.actor, "identity.create_unit")
        self.fields["parent_id"].choices = [  # type: ignore[attr-defined]
            (unit.pk, unit.name) for unit in units[:_CHOICES_MAX]
        ]


class GiveRoleForm(ConsoleForm):
    role_slug = forms.ChoiceField(label=_("Role"))
    unit_id = forms.TypedChoiceField(
        label=_("Where"), coerce=int, help_text=_("There, and in all units below.")
    )

    def arrange(self) -> None:
        roles = selectors.roles().order_by("name")
        self.fields["role_slug"].choices = [  # type: ignore[attr-defined]
            (role.slug, role.name) for role in roles
        ]
        units = selectors.units_visible_to(self.page.actor, "identity.manage_roles")
        self.fields["unit_id"].choices = [  # type: ignore[attr-defined]
            (unit.pk, unit.name) for unit in units[:_CHOICES_MAX]
        ]


class TakeRoleForm(ConsoleForm):
    held = forms.ChoiceField(label=_("Which"))

    def arrange(self) -> None:
        self.fields["held"].choices = [  # type: ignore[attr-defined]
            (f"{row.role.slug}/{row.unit_id}", f"{row.role.name} · {row.unit.name}")
            for row in selectors.assignments_of(self.row.pk)
        ]


class GrantForm(ConsoleForm):
    permission = forms.ChoiceField(label=_("What"))
    customer = forms.CharField(
        label=_("Customer"), max_length=24, required=False,
        help_text=_("Reference such as C-000123, or choose a unit below."),
    )  # fmt: skip
    unit_id = forms.TypedChoiceField(
        label=_("Unit"), coerce=int, required=False, empty_value=None
    )

    def arrange(self) -> None:
        self.fields["permission"].choices = permissions_by_app()  # type: ignore[attr-defined]
        units = selectors.units_visible_to(self.page.actor, "identity.grant_access")
        self.fields["unit_id"].choices = [  # type: ignore[attr-defined]
            ("", "-"), *((unit.pk, unit.name) for unit in units[:_CHOICES_MAX]),
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or {})
        if bool(data.get("customer")) == bool(data.get("unit_id")):
            raise forms.ValidationError(_("Name a customer or choose a unit."))
        return data


class RuleForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    why = forms.CharField(
        label=_("Why"), max_length=300, help_text=_("What the refused person reads.")
    )
    effect = forms.ChoiceField(label=_("Effect"), choices=RuleEffect.choices)
    permissions = forms.CharField(
        label=_("Permissions"),
        max_length=2000,
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
        help_text=_("Names or patterns such as billing.*, a line each."),
    )
    expression = forms.CharField(
        label=_("Condition"),
        max_length=2048,
        strip=False,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "class": "dm-mono"}),
        help_text=_(
            "Such as: in_network(request.address, '192.0.2.0/24') &&"
            " actor.mfa_age_s < 300"
        ),
    )

    def clean_permissions(self) -> list[str]:
        return str(self.cleaned_data["permissions"]).replace(",", " ").split()


class StepForm(ConsoleForm):
    """Carries which wish was read, so that another one is not approved by it."""

    step_id = forms.TypedChoiceField(
        label=_("What was asked"), coerce=int, widget=forms.RadioSelect
    )

    def arrange(self) -> None:
        waiting = selectors.waiting_step(self.row.pk)
        choices = []
        if waiting is not None:
            by = waiting.asked_by.username if waiting.asked_by else "DotMac"
            choices = [(waiting.pk, f"{waiting.get_step_display()} · {by}")]
            self.fields["step_id"].initial = waiting.pk
        self.fields["step_id"].choices = choices  # type: ignore[attr-defined]


def rule_values(rule: AccessRule) -> dict[str, Any]:
    """The text of a rule as the form shows it."""
    return {
        "name": rule.name,
        "why": rule.why,
        "effect": rule.effect,
        "permissions": "\n".join(rule.permissions),
        "expression": rule.expression,
    }
