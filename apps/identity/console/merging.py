"""Duplicates in the console: suggested, merged, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.enums import CustomerState
from apps.identity.models import Customer, CustomerMerge
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    detail_url,
    register_screen,
)
from dotmac.core.errors import InvalidInput

MERGES_SHOWN_MAX = 20
_WORDS = {
    "email": gettext_lazy("e-mail"),
    "phone": gettext_lazy("phone"),
    "name": gettext_lazy("name"),
}


class MergeForm(ConsoleForm):
    """Which one is the duplicate: the likely ones are named."""

    duplicate = forms.CharField(
        label=gettext_lazy("Number of the duplicate"),
        max_length=24,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=300, required=False)

    def arrange(self) -> None:
        found = selectors.suggestions_for(
            self.row, self.page.actor, "identity.merge_customer"
        )
        likely = ", ".join(
            f"{each.customer.reference} {each.customer.name}" for each in found
        )
        self.fields["duplicate"].help_text = (
            _("May be the same: %s.") % likely if likely else _("Such as C-000123.")
        )
        if len(found) == 1:
            self.initial.setdefault("duplicate", found[0].customer.reference)


def _merge(row: Customer, data: dict[str, Any], page: Page) -> Done:
    reference = data["duplicate"].strip().upper()
    reach = selectors.customers_visible_to(page.actor, "identity.merge_customer")
    duplicate = reach.filter(reference=reference).first()
    if duplicate is None:
        raise InvalidInput(_("There is no such customer."), field="duplicate")
    operations.merge_customers(
        duplicate_id=duplicate.pk,
        survivor_id=row.pk,
        reason=data["reason"],
        actor=page.actor,
        now=page.now,
    )
    message = _("%s is merged into this customer.") % reference
    return Done(message, f"{detail_url('customers', row.pk)}?tab=people")


MERGE_ACTION = Action(
    slug="merge",
    label=gettext_lazy("Merge a duplicate"),
    submit=gettext_lazy("Merge"),
    permission="identity.merge_customer",
    icon="copy",
    confirm=gettext_lazy(
        "Services, orders, contacts, places, notes and documents of the duplicate"
        " become this customer's, and the duplicate is closed. Its bills stay under"
        " its number. It can be undone."
    ),
    form=MergeForm,
    shown=lambda row: row.state != CustomerState.CLOSED,
    run=_merge,
    order=86,
)


def merge_panels(row: Customer, page: Page) -> list[Panel]:
    """Who may be the same, and what was merged; nothing of the kind, no panel."""
    panels: list[Panel] = []
    if row.state != CustomerState.CLOSED:
        found = selectors.suggestions_for(row, page.actor, "identity.view_customer")
        if found:
            panels.append(_suggested(found))
    if not page.may("identity.merge_customer"):
        return panels
    merges = selectors.merges_visible_to(page.actor, "identity.merge_customer")
    mine = merges.filter(pk__in=selectors.merges_of(row.pk).values("pk"))
    shown = list(mine.order_by("-pk")[:MERGES_SHOWN_MAX])
    if shown:
        columns = (
            Column(_("Merged"), "at", "datetime", to="merges"),
            Column(_("Duplicate"), "duplicate.reference", "code"),
            Column(_("Into"), "survivor.reference", "code"),
            Column(_("By"), "actor_label"),
            Column(_("State"), _state_of, "state"),
        )
        panels.append(TablePanel(title=_("Merges"), columns=columns, rows=shown))
    return panels


def _suggested(found: Sequence[selectors.Suggestion]) -> Panel:
    columns = (
        Column(_("Number"), "customer.reference", to="customers", to_id="customer.pk"),
        Column(_("Name"), "customer.name"),
        Column(_("Same"), lambda each: ", ".join(str(_WORDS[w]) for w in each.same)),
    )
    return TablePanel(title=_("May be the same customer"), columns=columns, rows=found)


def _state_of(row: CustomerMerge) -> State:
    if row.undone_at is None:
        return State(_("Merged"), "good", "copy")
    return State(_("Undone"), "quiet", "arrow-back-up")


def _undo(row: CustomerMerge, data: dict[str, Any], page: Page) -> Done:
    operations.undo_merge(merge_id=row.pk, actor=page.actor, now=page.now)
    message = _("%s is a customer of its own again.") % row.duplicate.reference
    return Done(message, detail_url("customers", row.duplicate_id))


@register_screen
class DuplicateList(ListScreen):
    """Customers of which another one may be the same."""

    slug = "duplicates"
    title = gettext_lazy("Possible duplicates")
    permission = "identity.view_customer"
    icon = "copy"
    menu = "customers"
    menu_order = 60
    columns = (
        Column(gettext_lazy("Number"), "reference", to="customers"),
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("Phone"), "phone", "code"),
        Column(gettext_lazy("E-mail"), "email"),
        Column(gettext_lazy("State"), "get_state_display"),
    )
    intro = gettext_lazy(
        "Open customers who share an address, a number or a name with another one,"
        " unless somebody confirmed that they are two."
    )
    empty = gettext_lazy("No two customers look like one.")

    def rows(self, actor: Actor, permission: str) -> QuerySet[Customer]:
        return selectors.customers_with_twins(actor, permission)

    def row_url(self, row: Customer) -> str | None:
        return f"{detail_url('customers', row.pk)}?tab=people"


@register_screen
class MergeDetail(DetailScreen):
    """One merge: what moved, and the way back."""

    slug = "merges"
    title = gettext_lazy("Merge")
    permission = "identity.merge_customer"
    icon = "copy"
    tabs = (Tab(slug="merge", label=gettext_lazy("Merge"), build="known"),)
    actions = (
        Action(
            slug="undo",
            label=gettext_lazy("Undo the merge"),
            permission="identity.merge_customer",
            icon="arrow-back-up",
            tone="danger",
            confirm=gettext_lazy(
                "What moved goes back to the duplicate, which is open again. What"
                " came since stays where it is."
            ),
            shown=lambda row: row.undone_at is None,
            run=_undo,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[CustomerMerge]:
        return selectors.merges_visible_to(actor, permission)

    def heading(self, row: CustomerMerge) -> str:
        names = {
            "duplicate": row.duplicate.reference,
            "survivor": row.survivor.reference,
        }
        return _("%(duplicate)s into %(survivor)s") % names

    def state(self, row: CustomerMerge, page: Page) -> State:
        return _state_of(row)

    def facts(self, row: CustomerMerge, page: Page) -> Sequence[Fact]:
        return [
            Fact(
                _("Into"),
                row.survivor.name,
                url=detail_url("customers", row.survivor_id),
            ),
            Fact(
                _("Duplicate"),
                row.duplicate.name,
                url=detail_url("customers", row.duplicate_id),
            ),
        ]

    def known(self, row: CustomerMerge, page: Page) -> Sequence[Panel]:
        counts = [
            Fact(name.capitalize(), len(keys), "number")
            for part in row.moved.values()
            for name, keys in part.items()
            if name != "primary" and keys
        ]
        return [
            FactsPanel(
                title=_("What was done"),
                facts=[
                    Fact(_("Merged"), row.at, "datetime"),
                    Fact(_("By"), row.actor_label),
                    Fact(_("Why"), row.reason),
                    Fact(_("Undone"), row.undone_at, "datetime"),
                    Fact(_("Undone by"), row.undone_by),
                ],
            ),
            FactsPanel(
                title=_("What moved"), facts=counts or [Fact(_("Rows"), _("None"))]
            ),
        ]
