"""Rate profiles: list, page, and a form that makes or changes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console.equipment import new_button
from apps.network.enums import OnLimit
from apps.network.models import RateProfile
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    ListScreen,
    Page,
    Panel,
    Tab,
    detail_url,
    register_screen,
)
from dotmac.core.console.render import rate_text

BITS = 1000


class RateProfileForm(ConsoleForm):
    """Two in a row on a wide screen: down stands beside its up."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        required=False,
        initial=0,
        min_value=0,
        max_value=8,
        help_text=gettext_lazy("1 goes first, 8 last; 0 for none."),
    )
    down_kbps = forms.IntegerField(label=gettext_lazy("Down, kbit/s"), min_value=1)
    up_kbps = forms.IntegerField(label=gettext_lazy("Up, kbit/s"), min_value=1)
    burst_down_kbps = forms.IntegerField(
        label=gettext_lazy("Burst down, kbit/s"), initial=0, min_value=0
    )
    burst_up_kbps = forms.IntegerField(
        label=gettext_lazy("Burst up, kbit/s"), initial=0, min_value=0
    )
    burst_s = forms.IntegerField(
        label=gettext_lazy("Burst lasts, seconds"), initial=0, min_value=0
    )
    interim_s = forms.IntegerField(
        label=gettext_lazy("Seconds between interim updates"), initial=300, min_value=60
    )
    throttled_down_kbps = forms.IntegerField(
        label=gettext_lazy("Down when throttled, kbit/s"), initial=512, min_value=1
    )
    throttled_up_kbps = forms.IntegerField(
        label=gettext_lazy("Up when throttled, kbit/s"), initial=512, min_value=1
    )
    sessions_max = forms.IntegerField(
        label=gettext_lazy("Sessions at once"),
        initial=1,
        min_value=0,
        help_text=gettext_lazy("0 means without limit."),
    )
    on_limit = forms.ChoiceField(
        label=gettext_lazy("A login beyond that"),
        choices=OnLimit.choices,
        initial=OnLimit.REFUSE,
    )
    idle_s = forms.IntegerField(
        label=gettext_lazy("Ends after idle seconds"),
        required=False,
        initial=0,
        min_value=0,
        help_text=gettext_lazy("0 means never."),
    )
    session_mb = forms.IntegerField(
        label=gettext_lazy("Megabytes in one session"),
        required=False,
        initial=0,
        min_value=0,
        help_text=gettext_lazy("Hotspots: the NAS ends it there. 0 means no limit."),
    )
    policy = forms.CharField(
        label=gettext_lazy("Policy on the NAS"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Where speeds have names: Cisco, Juniper, Huawei."),
    )
    throttled_policy = forms.CharField(
        label=gettext_lazy("Policy when throttled"), max_length=64, required=False
    )


def numbers(data: dict[str, Any]) -> dict[str, Any]:
    """Left empty means none."""
    return {
        **data, **{name: data[name] or 0 for name in ("priority", "idle_s", "session_mb")}
    }  # fmt: skip


def values_of(profile: RateProfile, page: Page) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in RateProfileForm.base_fields}


def change(profile: RateProfile, data: dict[str, Any], page: Page) -> str:
    operations.change_rate_profile(
        profile_id=profile.pk, changes=numbers(data), actor=page.actor, now=page.now
    )
    return _("The rate profile was changed. Running sessions follow in a few seconds.")


def down(profile: RateProfile) -> str:
    return rate_text(profile.down_kbps * BITS)


def up(profile: RateProfile) -> str:
    return rate_text(profile.up_kbps * BITS)


@register_screen
class RateProfileList(ListScreen):
    slug = "rate-profiles"
    title = gettext_lazy("Rate profiles")
    permission = "network.view_rate_profile"
    icon = "gauge"
    menu = "network"
    menu_order = 50
    empty = gettext_lazy("No speed yet. Plans give one to their services.")
    columns = (
        Column(gettext_lazy("Profile"), "name"),
        Column(gettext_lazy("Down"), down, align="right"),
        Column(gettext_lazy("Up"), up, align="right"),
        Column(gettext_lazy("Sessions"), "sessions_max", "number"),
        Column(gettext_lazy("Interim"), "interim_s", "duration", phone=False),
    )
    buttons = (
        new_button(
            gettext_lazy("New rate profile"), slug, "network.create_rate_profile"
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.rate_profiles(actor, permission)


@register_screen
class RateProfileDetail(DetailScreen):
    slug = "rate-profiles"
    title = gettext_lazy("Rate profile")
    permission = "network.view_rate_profile"
    icon = "gauge"
    tabs = (Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),)
    actions = (
        Action(
            slug="change",
            label=gettext_lazy("Change"),
            permission="network.change_rate_profile",
            form=RateProfileForm,
            initial=values_of,
            icon="pencil",
            run=change,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.rate_profiles(actor, permission)

    def overview(self, row: RateProfile, page: Page) -> Sequence[Panel]:
        def rate(kbps: int) -> str:
            return rate_text(kbps * BITS) if kbps else ""

        return [
            FactsPanel(
                title=_("Speed"),
                facts=[
                    Fact(_("Down"), rate(row.down_kbps)),
                    Fact(_("Up"), rate(row.up_kbps)),
                    Fact(_("Burst down"), rate(row.burst_down_kbps)),
                    Fact(_("Burst up"), rate(row.burst_up_kbps)),
                    Fact(_("Down when throttled"), rate(row.throttled_down_kbps)),
                    Fact(_("Up when throttled"), rate(row.throttled_up_kbps)),
                    Fact(_("Sessions at once"), row.sessions_max or _("any number")),
                    Fact(_("A login beyond that"), row.get_on_limit_display()),
                    Fact(_("Interim updates every"), row.interim_s, "duration"),
                    Fact(_("Priority"), row.priority or ""),
                    Fact(_("Ends when idle for"), row.idle_s or None, "duration"),
                    Fact(
                        _("Octets in one session"),
                        row.session_mb * 1_000_000 or None,
                        "bytes",
                    ),
                    Fact(_("Policy on the NAS"), row.policy, "code"),
                    Fact(_("Policy when throttled"), row.throttled_policy, "code"),
                ],
            )
        ]


@register_screen
class NewRateProfile(FormScreen):
    slug = "rate-profiles/new"
    title = gettext_lazy("New rate profile")
    permission = "network.create_rate_profile"
    form = RateProfileForm

    def run(self, data: dict[str, Any], page: Page) -> Done:
        profile = operations.create_rate_profile(
            **numbers(data), actor=page.actor, now=page.now
        )
        return Done(
            _("The rate profile was added."), detail_url("rate-profiles", profile.pk)
        )
