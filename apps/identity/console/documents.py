"""Papers of a customer: a tab of its page, and each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.enums import CustomerState, DocumentKind
from apps.identity.models import Customer, CustomerDocument
from apps.identity.rules.documents import FORMATS
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    Page,
    Panel,
    Tab,
    TablePanel,
    detail_url,
    register_screen,
)
from dotmac.core.downloads import attached

DOCUMENTS_SHOWN_MAX = 50


class KindForm(ConsoleForm):
    """What a paper is, and whether the customer sees it."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What it is"), choices=DocumentKind.choices
    )
    in_portal = forms.BooleanField(
        label=gettext_lazy("The customer sees it in the portal"), required=False
    )


class DocumentForm(KindForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.ClearableFileInput({"accept": ",".join(FORMATS)}),
        help_text=gettext_lazy("PDF, JPEG, PNG or WebP, at most 5 MB."),
        allow_empty_file=True,  # the operation says what is wrong with it
    )
    field_order = ("file", "kind", "in_portal")


def _add(row: Customer, data: dict[str, Any], page: Page) -> Done:
    file = data.pop("file")
    operations.add_document(
        customer_id=row.pk,
        name=file.name,
        content=file,
        **data,
        actor=page.actor,
        now=page.now,
    )
    return Done(_("The document is kept."), _tab_of(row.pk))


ADD_ACTION = Action(
    slug="add-document",
    label=gettext_lazy("Add document"),
    submit=gettext_lazy("Keep it"),
    permission="identity.add_document",
    icon="file-plus",
    form=DocumentForm,
    shown=lambda row: row.state != CustomerState.CLOSED,
    run=_add,
    order=63,
)


def documents_tab(row: Customer, page: Page) -> Sequence[Panel]:
    """What is kept, the newest first."""
    columns = (
        Column(_("Name"), "file.name", to="documents"),
        Column(_("What it is"), "get_kind_display"),
        Column(_("Size"), "file.size_bytes", "bytes", phone=False),
        Column(_("Customer sees it"), "in_portal", "bool"),
        Column(_("Added"), "at", "datetime"),
        Column(_("By"), "actor_label", phone=False),
    )
    return [
        TablePanel(
            title=_("Documents"),
            columns=columns,
            rows=selectors.documents_of(row.pk)[:DOCUMENTS_SHOWN_MAX],
            empty=_("No document is kept."),
        )
    ]


DOCUMENTS_TAB = Tab(
    slug="documents",
    label=gettext_lazy("Documents"),
    build=documents_tab,
    permission="identity.view_document",
    order=83,
)


def _open(row: CustomerDocument, data: dict[str, Any], page: Page) -> HttpResponseBase:
    opened = operations.open_document(
        document_id=row.pk, actor=page.actor, now=page.now
    )
    return attached(opened.content, name=opened.name, media_type=opened.media_type)


def _change(row: CustomerDocument, data: dict[str, Any], page: Page) -> str:
    operations.change_document(
        document_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("Saved.")


def _remove(row: CustomerDocument, data: dict[str, Any], page: Page) -> Done:
    operations.remove_document(document_id=row.pk, actor=page.actor, now=page.now)
    return Done(_("The document is gone."), _tab_of(row.customer_id))


def _tab_of(customer_id: int) -> str:
    return f"{detail_url('customers', customer_id)}?tab=documents"


@register_screen
class DocumentDetail(DetailScreen):
    """One paper: what is known of it, and the way to its bytes."""

    slug = "documents"
    title = gettext_lazy("Document")
    permission = "identity.view_document"
    icon = "file-text"
    tabs = (Tab(slug="document", label=gettext_lazy("Document"), build="known"),)
    actions = (
        Action(
            slug="open",
            label=gettext_lazy("Download"),
            permission="identity.open_document",
            icon="download",
            tone="primary",
            run=_open,
            order=10,
        ),
        Action(
            slug="change",
            label=gettext_lazy("Change"),
            submit=gettext_lazy("Save"),
            permission="identity.change_document",
            icon="edit",
            form=KindForm,
            initial=lambda row, _page: {"kind": row.kind, "in_portal": row.in_portal},
            run=_change,
        ),
        Action(
            slug="remove",
            label=gettext_lazy("Remove"),
            permission="identity.remove_document",
            icon="trash",
            tone="danger",
            confirm=gettext_lazy("The file is deleted and cannot be brought back."),
            run=_remove,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[CustomerDocument]:
        return selectors.documents_visible_to(actor, permission)

    def heading(self, row: CustomerDocument) -> str:
        return row.file.name

    def facts(self, row: CustomerDocument, page: Page) -> Sequence[Fact]:
        return [Fact(_("Customer"), row.customer.name, url=_tab_of(row.customer_id))]

    def known(self, row: CustomerDocument, page: Page) -> Sequence[Panel]:
        return [
            FactsPanel(
                title=_("What is known"),
                facts=[
                    Fact(_("What it is"), row.get_kind_display()),
                    Fact(_("Type"), row.file.media_type, "code"),
                    Fact(_("Size"), row.file.size_bytes, "bytes"),
                    Fact(_("Customer sees it"), row.in_portal, "bool"),
                    Fact(_("Added"), row.at, "datetime"),
                    Fact(_("By"), row.actor_label),
                ],
            )
        ]
