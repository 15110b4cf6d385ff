"""The operator's own fields and tags: their screens, and how customers show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.enums import FieldKind, TagColour
from apps.identity.models import Customer, CustomField, Tag
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
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
    State,
    Tab,
    detail_url,
    list_url,
    register_screen,
)
from dotmac.core.console.forms import DateField

PREFIX = "custom_"
_TONES = {
    TagColour.GREY: "quiet",
    TagColour.BLUE: "busy",
    TagColour.GREEN: "good",
    TagColour.AMBER: "warn",
    TagColour.RED: "bad",
}
_YES_NO = (("true", gettext_lazy("Yes")), ("false", gettext_lazy("No")))


def badge_of(tag: Tag) -> State:
    """The tag as people see it."""
    return State(tag.name, _TONES[TagColour(tag.colour)], "tag")


def shown(field: CustomField, values: dict[str, Any]) -> str:
    """A customer's value of the field in words."""
    value = values.get(field.slug)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value or "")


def form_field(field: CustomField) -> forms.Field:
    """The form field for the values of an operator's field."""
    facts: dict[str, Any] = {"label": field.name, "required": field.required}
    if field.kind == FieldKind.BOOLEAN:
        return forms.ChoiceField(choices=[("", "–"), *_YES_NO], **facts)  # noqa: RUF001
    if field.kind == FieldKind.CHOICE:
        pairs = [(word, word) for word in field.choices]
        return forms.ChoiceField(choices=[("", "–"), *pairs], **facts)  # noqa: RUF001
    if field.kind == FieldKind.DATE:
        return DateField(**facts)
    return forms.CharField(max_length=300, **facts)


def taken_out(data: dict[str, Any]) -> dict[str, Any]:
    """Remove the form's own-field values from `data`; return them by slug."""
    names = [name for name in data if name.startswith(PREFIX)]
    return {name.removeprefix(PREFIX): data.pop(name) for name in names}


class FieldForm(ConsoleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("Only for a choice: one in each line."),
    )
    required = forms.BooleanField(label=gettext_lazy("Required"), required=False)
    in_list = forms.BooleanField(
        label=gettext_lazy("Column and filter of the list"), required=False
    )
    in_portal = forms.BooleanField(
        label=gettext_lazy("Customers see it in the portal"), required=False
    )

    def clean_choices(self) -> list[str]:
        return [line for line in self.cleaned_data["choices"].splitlines() if line]


class NewFieldForm(FieldForm):
    slug = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=40,
        help_text=gettext_lazy("For programs, such as: nin. It never changes."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=FieldKind.choices)
    field_order = ("name", "slug", "kind")


class TagForm(ConsoleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=40)
    colour = forms.ChoiceField(label=gettext_lazy("Colour"), choices=TagColour.choices)


class NewTagForm(TagForm):
    slug = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=40,
        help_text=gettext_lazy("For programs, such as: vip. It never changes."),
    )
    field_order = ("name", "slug", "colour")


class CustomerTagsForm(ConsoleForm):
    tags = forms.MultipleChoiceField(
        label=gettext_lazy("Tags"),
        help_text=gettext_lazy("New ones are made under System, Tags."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def arrange(self) -> None:
        pairs = [(tag.slug, tag.name) for tag in selectors.tags()]
        self.fields["tags"].choices = pairs  # type: ignore[attr-defined]


class BulkTagForm(ConsoleForm):
    """One tag for the chosen customers."""

    tag = forms.ChoiceField(label=gettext_lazy("Tag"))
    what = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=(("add", gettext_lazy("Add")), ("remove", gettext_lazy("Take away"))),
    )

    def arrange(self) -> None:
        pairs = [(tag.slug, tag.name) for tag in selectors.tags()]
        self.fields["tag"].choices = pairs  # type: ignore[attr-defined]


def tag_many(rows: list[Any], data: dict[str, Any], page: Page) -> str:
    """What the list's bulk action does."""
    changed = operations.tag_customers(
        customer_ids=[row.pk for row in rows],
        **{data["what"]: [data["tag"]]},
        actor=page.actor,
        now=page.now,
    )
    return _("%(changed)s of %(chosen)s customers changed.") % {
        "changed": changed,
        "chosen": len(rows),
    }


def _set_tags(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.set_tags(
        customer_id=row.pk, tags=data["tags"], actor=page.actor, now=page.now
    )
    return _("Saved.")


TAGS_ACTION = Action(
    slug="set-tags",
    label=gettext_lazy("Tags"),
    submit=gettext_lazy("Save"),
    permission="identity.tag_customer",
    icon="tags",
    form=CustomerTagsForm,
    initial=lambda row, _page: {
        "tags": [tag.slug for tag in selectors.tags_of([row.pk])[row.pk]]
    },
    run=_set_tags,
    order=66,
)


def own_fields_panel(row: Customer) -> Panel:
    """The operator's own fields of one customer."""
    fields = selectors.custom_fields()
    return FactsPanel(
        title=_("Own fields"),
        facts=[Fact(field.name, shown(field, row.custom)) for field in fields],
    )


def _state(row: CustomField) -> State:
    if row.archived_at is not None:
        return State(_("Archived"), "quiet", "archive")
    return State(_("In use"), "good", "circle-check")


def _archive(row: CustomField, data: dict[str, Any], page: Page) -> str:
    away = row.archived_at is None
    operations.archive_field(
        field_id=row.pk, archived=away, actor=page.actor, now=page.now
    )
    return _("Archived; the values stay.") if away else _("In use again.")


def _change_field(row: CustomField, data: dict[str, Any], page: Page) -> str:
    operations.change_field(
        field_id=row.pk, changes=data, actor=page.actor, now=page.now
    )
    return _("Saved.")


def _said(row: CustomField, _page: Page) -> dict[str, Any]:
    names = ("name", "required", "in_list", "in_portal")
    return {
        **{name: getattr(row, name) for name in names},
        "choices": "\n".join(row.choices),
    }


@register_screen
class FieldList(ListScreen):
    slug = "custom-fields"
    title = gettext_lazy("Own fields")
    permission = "identity.view_field"
    icon = "forms"
    menu = "system"
    menu_order = 60
    empty = gettext_lazy("No field of your own yet. Define one, such as: NIN.")
    columns = (
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("Short name"), "slug", "code"),
        Column(gettext_lazy("Kind"), "get_kind_display"),
        Column(gettext_lazy("Required"), "required", "bool"),
        Column(gettext_lazy("In the list"), "in_list", "bool", phone=False),
        Column(gettext_lazy("In the portal"), "in_portal", "bool", phone=False),
        Column(gettext_lazy("State"), _state, "state"),
    )
    buttons = (
        Button(
            label=gettext_lazy("New field"),
            url="custom-fields/new",
            icon="plus",
            tone="primary",
            permission="identity.manage_field",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[CustomField]:
        return selectors.all_fields()


@register_screen
class NewField(FormScreen):
    slug = "custom-fields/new"
    title = gettext_lazy("New field")
    permission = "identity.manage_field"
    form = NewFieldForm

    def run(self, data: dict[str, Any], page: Page) -> Done:
        field = operations.define_field(**data, actor=page.actor, now=page.now)
        return Done(_("Defined."), detail_url("custom-fields", field.pk))


@register_screen
class FieldDetail(DetailScreen):
    slug = "custom-fields"
    title = gettext_lazy("Own field")
    permission = "identity.view_field"
    icon = "forms"
    tabs = (Tab(slug="field", label=gettext_lazy("Field"), build="defined"),)
    actions = (
        Action(
            slug="edit",
            label=gettext_lazy("Edit"),
            submit=gettext_lazy("Save"),
            permission="identity.manage_field",
            icon="edit",
            form=FieldForm,
            initial=_said,
            run=_change_field,
        ),
        Action(
            slug="archive",
            label=gettext_lazy("Archive"),
            permission="identity.manage_field",
            icon="archive",
            confirm=gettext_lazy("It is shown nowhere then; its values stay."),
            shown=lambda row: row.archived_at is None,
            run=_archive,
        ),
        Action(
            slug="restore",
            label=gettext_lazy("Bring back"),
            permission="identity.manage_field",
            icon="arrow-back-up",
            shown=lambda row: row.archived_at is not None,
            run=_archive,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[CustomField]:
        return selectors.all_fields()

    def state(self, row: CustomField, page: Page) -> State:
        return _state(row)

    def defined(self, row: CustomField, page: Page) -> Sequence[Panel]:
        return [
            FactsPanel(
                title=_("Field"),
                facts=[
                    Fact(_("Short name"), row.slug, "code"),
                    Fact(_("Kind"), row.get_kind_display()),
                    Fact(_("Choices"), ", ".join(row.choices)),
                    Fact(_("Required"), row.required, "bool"),
                    Fact(_("In the list"), row.in_list, "bool"),
                    Fact(_("In the portal"), row.in_portal, "bool"),
                ],
            )
        ]


def _change_tag(row: Tag, data: dict[str, Any], page: Page) -> str:
    operations.change_tag(tag_id=row.pk, changes=data, actor=page.actor, now=page.now)
    return _("Saved.")


def _remove_tag(row: Tag, data: dict[str, Any], page: Page) -> Done:
    operations.remove_tag(tag_id=row.pk, actor=page.actor, now=page.now)
    return Done(_("The tag is gone."), list_url("tags"))


@register_screen
class TagList(ListScreen):
    slug = "tags"
    title = gettext_lazy("Tags")
    permission = "identity.view_field"
    icon = "tags"
    menu = "system"
    menu_order = 61
    empty = gettext_lazy("No tag yet. Make one, such as: VIP.")
    columns = (
        Column(gettext_lazy("Tag"), badge_of, "state"),
        Column(gettext_lazy("Short name"), "slug", "code"),
        Column(
            gettext_lazy("Customers"),
            lambda _row: _("Show them"),
            to=lambda row: list_url("customers", tag=row.slug),
        ),
    )
    buttons = (
        Button(
            label=gettext_lazy("New tag"),
            url="tags/new",
            icon="plus",
            tone="primary",
            permission="identity.manage_field",
        ),
    )
    actions = (
        Action(
            slug="edit",
            label=gettext_lazy("Edit"),
            submit=gettext_lazy("Save"),
            permission="identity.manage_field",
            icon="edit",
            form=TagForm,
            initial=lambda row, _page: {"name": row.name, "colour": row.colour},
            run=_change_tag,
        ),
        Action(
            slug="remove",
            label=gettext_lazy("Remove"),
            permission="identity.manage_field",
            icon="trash",
            confirm=gettext_lazy("It is taken away from all customers, too."),
            run=_remove_tag,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Tag]:
        return selectors.all_tags()


@register_screen
class NewTag(FormScreen):
    slug = "tags/new"
    title = gettext_lazy("New tag")
    permission = "identity.manage_field"
    form = NewTagForm

    def run(self, data: dict[str, Any], page: Page) -> Done:
        operations.make_tag(**data, actor=page.actor, now=page.now)
        return Done(_("Made."), list_url("tags"))
