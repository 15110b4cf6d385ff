"""The list of customers, the form for a new one, and the search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.fields import (
    PREFIX,
    BulkTagForm,
    badge_of,
    shown,
    tag_many,
    taken_out,
)
from apps.identity.console.forms import NewCustomerForm
from apps.identity.enums import CustomerKind, CustomerState, FieldKind
from apps.identity.models import Customer, CustomField
from dotmac.core.actors import Actor
from dotmac.core.console import (
    BulkAction,
    Button,
    ChoiceFilter,
    Column,
    DateFilter,
    Done,
    Filter,
    FormScreen,
    HomeContribution,
    IdFilter,
    ListScreen,
    Page,
    SearchHit,
    SearchProvider,
    TextFilter,
    detail_url,
    list_url,
    register_home,
    register_screen,
    register_search,
)


def _value_of(field: CustomField) -> Callable[[Customer], str]:
    return lambda row: shown(field, row.custom)


def _tag_filter() -> Filter:
    return ChoiceFilter(
        name="tag",
        label=_("Tag"),
        choices=lambda: [(tag.slug, tag.name) for tag in selectors.tags()],
        apply=lambda rows, slug: rows.filter(selectors.has_tag(slug)),
    )


def _filter_of(field: CustomField) -> Filter:
    """Exact match, as the index serves it."""
    name, label = f"{PREFIX}{field.slug}", field.name

    def apply(rows: QuerySet[Customer], text: str) -> QuerySet[Customer]:
        return rows.filter(selectors.has_value(field, text))

    if field.kind == FieldKind.DATE:
        return DateFilter(name=name, label=label, apply=apply)
    if field.kind in {FieldKind.CHOICE, FieldKind.BOOLEAN}:
        words = field.choices or ["true", "false"]
        pairs = [(word, word) for word in words]
        if field.kind == FieldKind.BOOLEAN:
            pairs = [("true", _("Yes")), ("false", _("No"))]
        return ChoiceFilter(name=name, label=label, choices=pairs, apply=apply)
    return TextFilter(name=name, label=label, apply=apply)


@register_screen
class CustomerList(ListScreen):
    slug = "customers"
    title = gettext_lazy("Customers")
    permission = "identity.view_customer"
    icon = "users"
    menu = "customers"
    menu_order = 10
    search_hint = gettext_lazy("Name, reference, phone or e-mail")
    empty = gettext_lazy("No customer yet. Register the first one.")
    columns = (
        Column(gettext_lazy("Reference"), "reference", "code"),
        Column(gettext_lazy("Name"), "name", to="customers"),
        Column(gettext_lazy("Phone"), "phone", phone=False),
        Column(gettext_lazy("E-mail"), "email", phone=False),
        Column(gettext_lazy("City"), "city", phone=False),
        Column(gettext_lazy("Belongs to"), "unit.name", phone=False),
        Column(gettext_lazy("State"), "state", "state"),
        Column(gettext_lazy("Since"), "created_at", "date", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=CustomerState.choices
        ),
        ChoiceFilter(
            name="kind", label=gettext_lazy("Kind"), choices=CustomerKind.choices
        ),
        IdFilter(name="unit", label=gettext_lazy("Belongs to"), field="unit_id"),
        IdFilter(name="parent", label=gettext_lazy("Below"), field="parent_id"),
        IdFilter(name="owner", label=gettext_lazy("Followed up by"), field="owner_id"),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("New customer"),
                url=list_url("customers/new"),
                icon="plus",
                tone="primary",
                permission="identity.create_customer",
            ),
        )

    bulk = (
        BulkAction(
            slug="tag",
            label=gettext_lazy("Tag the chosen"),
            permission="identity.tag_customer",
            form=BulkTagForm,
            run=tag_many,
            icon="tags",
        ),
    )

    def all_columns(self, page: Page) -> Sequence[Column]:
        own = selectors.custom_fields().filter(in_list=True)
        more = [Column(field.name, _value_of(field), phone=False) for field in own]
        tags = Column(_("Tags"), lambda row: list(map(badge_of, row.tags)), "badges")
        return [*self.columns[:2], tags, *self.columns[2:], *more]

    def all_filters(self, page: Page) -> Sequence[Filter]:
        own = selectors.custom_fields().filter(in_list=True)
        return [*self.filters, _tag_filter(), *map(_filter_of, own)]

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        tags = selectors.tags_of(row.pk for row in rows)
        for row in rows:
            row.tags = tags[row.pk]
        return rows

    def rows(self, actor: Actor, permission: str) -> QuerySet[Customer]:
        rows = selectors.customers_visible_to(actor, permission)
        return rows.select_related("unit").defer("search_text")

    def search(self, rows: QuerySet[Customer], text: str) -> QuerySet[Customer]:
        return rows.filter(selectors.found_by(text))


@register_screen
class NewCustomer(FormScreen):
    slug = "customers/new"
    title = gettext_lazy("New customer")
    permission = "identity.create_customer"
    form = NewCustomerForm
    submit_label = gettext_lazy("Register")

    def initial(self, page: Page) -> dict[str, Any]:
        return {"kind": CustomerKind.INDIVIDUAL, "state": CustomerState.PROSPECT}

    def run(self, data: dict[str, Any], page: Page) -> Done:
        customer = operations.register_customer(
            custom=taken_out(data), **data, actor=page.actor, now=page.now
        )
        return Done(
            _("%s is registered.") % customer.reference,
            detail_url("customers", customer.pk),
        )


def _find(text: str, actor: Any, limit: int) -> list[SearchHit]:
    rows = selectors.customers_visible_to(actor, "identity.view_customer")
    found = rows.filter(selectors.found_by(text)).order_by("-pk")[:limit]
    whole = text.strip().lower()
    return [
        SearchHit(
            title=row.name,
            url=detail_url("customers", row.pk),
            detail=" · ".join(filter(None, (row.reference, row.phone, row.email))),
            state=row.state,
            exact=whole in {row.reference.lower(), row.phone, row.email.lower()},
        )
        for row in found
    ]


register_search(
    SearchProvider(
        slug="customers",
        label=gettext_lazy("Customers"),
        permission="identity.view_customer",
        find=_find,
        icon="user",
        order=10,
    )
)


def _first_steps(page: Page) -> list[tuple[Any, str, bool]]:
    has_one = selectors.customers_visible_to(
        page.actor, "identity.create_customer"
    ).exists()
    return [(_("Register a customer"), list_url("customers/new"), has_one)]


register_home(
    HomeContribution(
        app="identity",
        permission="identity.create_customer",
        order=40,
        first_steps=_first_steps,
    )
)
