"""The family of a customer: above and below, and choosing the parent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.models import Customer
from dotmac.core.console import (
    Action,
    Column,
    ConsoleForm,
    Page,
    Panel,
    TablePanel,
    list_url,
)
from dotmac.core.errors import PermissionRefused

SHOWN_MAX = 20


class ParentForm(ConsoleForm):
    parent = forms.CharField(
        label=gettext_lazy("Belongs below"),
        max_length=24,
        required=False,
        help_text=gettext_lazy("Reference of the head office: C-000123. Empty: none."),
    )

    def clean_parent(self) -> int | None:
        """The key of a customer within reach."""
        reference = self.cleaned_data["parent"].strip().upper()
        if not reference:
            return None
        rows = selectors.customers_visible_to(
            self.page.actor, "identity.change_customer"
        )
        found = rows.filter(reference=reference).values_list("pk", flat=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no such customer."))
        return found


def parent_within(row: Customer, page: Page, permission: str) -> Customer | None:
    """The parent, where there is one that the reader's permission reaches."""
    if row.parent_id is None:
        return None
    reach = selectors.customers_visible_to(page.actor, permission)
    return reach.filter(pk=row.parent_id).first()


def _said_so_far(row: Customer, page: Page) -> dict[str, Any]:
    above = parent_within(row, page, PARENT_ACTION.permission)
    return {"parent": above.reference if above else ""}


def _set_parent(row: Customer, data: dict[str, Any], page: Page) -> str:
    if row.parent_id and not parent_within(row, page, PARENT_ACTION.permission):
        says = gettext_lazy("Its head office is not yours to change.")
        raise PermissionRefused(str(says))
    operations.set_parent(
        customer_id=row.pk, parent_id=data["parent"], actor=page.actor, now=page.now
    )
    return _("Saved.")


PARENT_ACTION = Action(
    slug="set-parent",
    label=gettext_lazy("Head office"),
    submit=gettext_lazy("Save"),
    permission="identity.change_customer",
    icon="hierarchy",
    form=ParentForm,
    initial=_said_so_far,
    run=_set_parent,
    order=68,
)


def family_panels(row: Customer, page: Page) -> Sequence[Panel]:
    """Those directly below, as far as the reader's permission reaches."""
    reach = selectors.customers_visible_to(page.actor, "identity.view_customer")
    below = reach.filter(parent_id=row.pk).order_by("name", "pk")[: SHOWN_MAX + 1]
    if not below:
        return []
    return [
        TablePanel(
            title=_("Branches and customers below"),
            columns=(
                Column(_("Name"), "name", to="customers"),
                Column(_("Reference"), "reference", "code"),
                Column(_("City"), "city"),
                Column(_("State"), "state", "state"),
            ),
            rows=below[:SHOWN_MAX],
            more_url=(
                list_url("customers", parent=row.pk) if len(below) > SHOWN_MAX else ""
            ),
        )
    ]
