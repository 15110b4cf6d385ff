"""Changing an access account by hand: speed, pool, device, sessions, password, VLAN,
a chosen address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console.choices import named_choices
from apps.network.enums import PoolMode
from apps.network.models import AccessAccount
from dotmac.core.console import Action, ConsoleForm, Page

SESSIONS_MAX = 32767


class ChangeForm(ConsoleForm):
    """Speeds and pools are offered to whom they are shown."""

    profile_id = forms.TypedChoiceField(label=gettext_lazy("Speed"), coerce=int)
    pool_id = forms.TypedChoiceField(
        label=gettext_lazy("Pool"),
        coerce=int,
        required=False,
        empty_value=None,
        help_text=gettext_lazy("Another pool is another address: the session ends."),
    )
    mac_lock = forms.CharField(
        label=gettext_lazy("Locked to MAC address"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Empty: any device may dial in."),
    )
    sessions_max = forms.IntegerField(
        label=gettext_lazy("Sessions at once"),
        required=False,
        min_value=0,
        max_value=SESSIONS_MAX,
        help_text=gettext_lazy("Empty: as the speed says. 0: without limit."),
    )

    def arrange(self) -> None:
        page, row = self.page, self.row
        if page.may("network.view_rate_profile"):
            rows = selectors.rate_profiles(page.actor)
            self.fields["profile_id"].choices = named_choices(rows, row.profile_id)  # type: ignore[attr-defined]
        else:
            del self.fields["profile_id"]
        if page.may("network.view_pool"):
            pools = selectors.address_pools(page.actor)
            self.fields["pool_id"].choices = named_choices(pools, row.pool_id, empty=True)  # type: ignore[attr-defined]
        else:
            del self.fields["pool_id"]


class PasswordForm(ConsoleForm):
    password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,  # no max_length: a browser would cut what is pasted, and say nothing
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("It counts from the next login on."),
    )


class VlanForm(ConsoleForm):
    group_id = forms.TypedChoiceField(label=gettext_lazy("VLAN group"), coerce=int)

    def arrange(self) -> None:
        vlan = self.row.vlan
        rows = selectors.vlan_groups(self.page.actor)
        current = vlan.group_id if vlan else None
        choices = named_choices(rows, current)
        self.fields["group_id"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            self.fields["group_id"].help_text = _(
                "There is no VLAN group yet: make one by the API (vlan-groups) first."
            )


class AddressForm(ConsoleForm):
    pool_id = forms.TypedChoiceField(label=gettext_lazy("Pool"), coerce=int)
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=43,
        help_text=gettext_lazy("Of a pool of blocks the block, e.g. 2001:db8:7::/56."),
    )

    def arrange(self) -> None:
        rows = selectors.address_pools(self.page.actor).filter(mode=PoolMode.DOTMAC)
        self.fields["pool_id"].choices = named_choices(rows, self.row.pool_id)  # type: ignore[attr-defined]


def _change(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    operations.change_access(
        account_id=account.pk, **data, actor=page.actor, now=page.now
    )
    return _("Saved. What the NASes are told appears below, with their answers.")


def _give_password(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    operations.change_access(
        account_id=account.pk, **data, actor=page.actor, now=page.now
    )
    return _("The password was changed. The session goes on.")


def _assign_vlan(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    vlan = operations.assign_vlan(
        account_id=account.pk, **data, actor=page.actor, now=page.now
    )
    return _("It has VLAN %(vid)s from the next login on.") % {"vid": vlan.vid}


def _assign_address(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    given = operations.assign_address(
        account_id=account.pk, **data, actor=page.actor, now=page.now
    )
    return _("It has %(address)s. The session ends, to come back with it.") % {
        "address": given.address_text
    }


def _initial(account: AccessAccount, page: Page) -> dict[str, Any]:
    names = ("profile_id", "pool_id", "mac_lock", "sessions_max")
    return {name: getattr(account, name) for name in names}


def _pool_of(account: AccessAccount, page: Page) -> dict[str, Any]:
    return {"pool_id": account.pool_id}


def _is_open(account: AccessAccount) -> bool:
    return account.closed_at is None


ACTIONS = (
    Action(
        slug="change",
        label=gettext_lazy("Change"),
        permission="network.change_account",
        form=ChangeForm,
        initial=_initial,
        icon="pencil",
        shown=_is_open,
        run=_change,
    ),
    Action(
        slug="password",
        label=gettext_lazy("New password"),
        permission="network.change_account",
        form=PasswordForm,
        icon="key",
        shown=_is_open,
        run=_give_password,
    ),
    Action(
        slug="vlan",
        label=gettext_lazy("Assign a VLAN"),
        permission="network.assign_vlan",
        form=VlanForm,
        icon="tags",
        shown=_is_open,
        run=_assign_vlan,
    ),
    Action(
        slug="address",
        label=gettext_lazy("Give an address"),
        permission="network.allocate_address",
        form=AddressForm,
        initial=_pool_of,
        icon="map-pin",
        shown=_is_open,
        run=_assign_address,
    ),
)
