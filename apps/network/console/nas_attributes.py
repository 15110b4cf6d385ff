"""What one NAS is told besides its vendor's map: a panel and two actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.enums import ReplyMoment
from apps.network.models import Nas
from dotmac.core.console import Action, Column, ConsoleForm, Page, Panel, TablePanel

PERMISSION = "network.change_nas"
OPS = (
    (":=", gettext_lazy("instead of what the vendor's map says")),
    ("+=", gettext_lazy("besides what the vendor's map says")),
)


class AttributeForm(ConsoleForm):
    attribute = forms.CharField(
        label=gettext_lazy("Attribute"),
        max_length=100,
        help_text=gettext_lazy("As FreeRADIUS's dictionaries call it."),
    )
    value = forms.CharField(label=gettext_lazy("Value"), max_length=253, strip=False)
    op = forms.ChoiceField(label=gettext_lazy("Sent"), choices=OPS)
    moment = forms.ChoiceField(
        label=gettext_lazy("While the account is"), choices=ReplyMoment.choices
    )


class RemoveForm(ConsoleForm):
    attribute_id = forms.TypedChoiceField(label=gettext_lazy("Attribute"), coerce=int)

    def arrange(self) -> None:
        rows = selectors.nas_attributes(self.row.pk)
        self.fields["attribute_id"].choices = [  # type: ignore[attr-defined]
            (str(row.pk), f"{row} ({row.get_moment_display()})") for row in rows
        ]


def add(nas: Nas, data: dict[str, Any], page: Page) -> str:
    operations.add_nas_attribute(nas_id=nas.pk, **data, actor=page.actor, now=page.now)
    return _("The NAS is told it from the next login on.")


def remove(nas: Nas, data: dict[str, Any], page: Page) -> str:
    operations.remove_nas_attribute(
        nas_id=nas.pk, **data, actor=page.actor, now=page.now
    )
    return _("The NAS is told it no longer.")


ACTIONS = (
    Action(
        slug="add-attribute",
        label=gettext_lazy("Add an attribute"),
        permission=PERMISSION,
        form=AttributeForm,
        icon="plus",
        run=add,
    ),
    Action(
        slug="remove-attribute",
        label=gettext_lazy("Remove an attribute"),
        permission=PERMISSION,
        form=RemoveForm,
        icon="trash",
        shown=lambda nas: selectors.nas_attributes(nas.pk).exists(),
        run=remove,
    ),
)


def panels(nas: Nas, page: Page) -> Sequence[Panel]:
    return [
        TablePanel(
            title=_("Told besides the vendor's map"),
            columns=(
                Column(_("While"), lambda row: row.get_moment_display()),
                Column(_("Attribute"), "attribute", "code"),
                Column("", "op", "code"),
                Column(_("Value"), "value", "code"),
            ),
            rows=selectors.nas_attributes(nas.pk),
            empty=_("Nothing: the vendor's map says all."),
        )
    ]
