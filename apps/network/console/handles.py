"""Devices and lines of an account: a panel and two actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.enums import HandleKind
from apps.network.models import AccessAccount
from apps.network.rules.credentials import visible_line
from dotmac.core.console import Action, Column, ConsoleForm, Page, TablePanel


class HandleForm(ConsoleForm):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=HandleKind.choices)
    value = forms.CharField(
        label=gettext_lazy("Value"),
        max_length=512,
        help_text=gettext_lazy(
            "A MAC address in any spelling; an id as the NAS sends it, octets that are no"
            " text in hex: 0x0004006401."
        ),
    )


class RemoveForm(ConsoleForm):
    handle_id = forms.TypedChoiceField(label=gettext_lazy("Device or line"), coerce=int)

    def arrange(self) -> None:
        rows = selectors.account_handles(self.row.pk)
        self.fields["handle_id"].choices = [  # type: ignore[attr-defined]
            (str(row.pk), f"{row.get_kind_display()} {visible_line(row.value)}")
            for row in rows
        ]


def add(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    operations.add_handle(account_id=account.pk, **data, actor=page.actor, now=page.now)
    return _("It is let in from its next request on, where the NAS allows it.")


def remove(account: AccessAccount, data: dict[str, Any], page: Page) -> str:
    operations.remove_handle(
        account_id=account.pk, **data, actor=page.actor, now=page.now
    )
    return _("It is let in no longer. A session that runs stays until it ends.")


ACTIONS: Sequence[Action] = (
    Action(
        slug="add-handle",
        label=gettext_lazy("Add a device or line"),
        submit=gettext_lazy("Add"),
        permission="network.add_handle",
        form=HandleForm,
        icon="plus",
        shown=lambda account: account.closed_at is None,
        run=add,
    ),
    Action(
        slug="remove-handle",
        label=gettext_lazy("Remove a device or line"),
        submit=gettext_lazy("Remove"),
        permission="network.remove_handle",
        form=RemoveForm,
        icon="trash",
        shown=lambda account: selectors.account_handles(account.pk).exists(),
        run=remove,
    ),
)


def panel(account: AccessAccount) -> TablePanel:
    return TablePanel(
        title=_("Let in without a password (IPoE)"),
        columns=(
            Column(_("Kind"), lambda row: row.get_kind_display()),
            Column(_("Value"), lambda row: visible_line(row.value), "code"),
            Column(_("Since"), "created_at", "datetime"),
        ),
        rows=selectors.account_handles(account.pk),
        empty=_("None: its login needs its password."),
    )
