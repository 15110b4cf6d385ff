"""Copies of a customer's data, and forgetting the person, in the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.models import Customer, PersonalExport
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
    State,
    Tab,
    TablePanel,
    detail_url,
    register_screen,
    state_of,
)
from dotmac.core.downloads import attached_pieces

COPIES_SHOWN_MAX = 20


class EraseForm(ConsoleForm):
    confirm = forms.CharField(
        label=gettext_lazy("Customer number"),
        max_length=24,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=gettext_lazy("Type it, such as C-000123, to confirm."),
    )


def _is_there(row: Customer) -> bool:
    return row.erased_at is None


def _request(row: Customer, data: dict[str, Any], page: Page) -> Done:
    operations.request_export(customer_id=row.pk, actor=page.actor, now=page.now)
    message = _("The copy is being made. It stands here in a minute.")
    return Done(message, f"{detail_url('customers', row.pk)}?tab=copies")


def _erase(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.erase_customer(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("The person is erased.")


EXPORT_ACTION = Action(
    slug="export",
    label=gettext_lazy("Copy all personal data"),
    permission="identity.export_customer",
    icon="database-export",
    shown=_is_there,
    run=_request,
    order=88,
)
ERASE_ACTION = Action(
    slug="erase",
    label=gettext_lazy("Erase the person"),
    submit=gettext_lazy("Erase for good"),
    permission="identity.erase_customer",
    icon="eraser",
    tone="danger",
    confirm=gettext_lazy(
        "Name, addresses, contacts, notes, documents, sign-ins and messages go and"
        " cannot be brought back. Invoices, payments, the ledger and the audit stay,"
        " as the law wants. The customer is closed."
    ),
    form=EraseForm,
    shown=_is_there,
    run=_erase,
    order=92,
)


def _state(row: PersonalExport) -> State:
    return state_of(row.job.state)


def _size(row: PersonalExport) -> int | None:
    return None if row.file is None else row.file.size_bytes


def copies_tab(row: Customer, page: Page) -> Sequence[Panel]:
    """What was made, and until when it can be had."""
    columns = (
        Column(_("Asked for"), "requested_at", "datetime", to="copies"),
        Column(_("By"), "actor_label"),
        Column(_("State"), _state, "state"),
        Column(_("Size"), _size, "bytes", phone=False),
        Column(_("There until"), "expires_at", "datetime"),
    )
    return [
        TablePanel(
            title=_("Copies of all personal data"),
            columns=columns,
            rows=selectors.exports_of(row.pk)[:COPIES_SHOWN_MAX],
            empty=_("Nobody has asked for a copy."),
        )
    ]


COPIES_TAB = Tab(
    slug="copies",
    label=gettext_lazy("Data copies"),
    build=copies_tab,
    permission="identity.export_customer",
    order=87,
)


def _open(row: PersonalExport, data: dict[str, Any], page: Page) -> HttpResponseBase:
    opened = operations.open_export(export_id=row.pk, actor=page.actor, now=page.now)
    return attached_pieces(
        opened.pieces,
        name=opened.name,
        media_type=opened.media_type,
        size_bytes=opened.size_bytes,
    )


@register_screen
class CopyDetail(DetailScreen):
    """One copy: how far it is, and the way to it."""

    slug = "copies"
    title = gettext_lazy("Copy of personal data")
    permission = "identity.export_customer"
    icon = "database-export"
    tabs = (Tab(slug="copy", label=gettext_lazy("Copy"), build="known"),)
    actions = (
        Action(
            slug="open",
            label=gettext_lazy("Download"),
            permission="identity.open_export",
            icon="download",
            tone="primary",
            shown=lambda row: row.file_id is not None,
            run=_open,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[PersonalExport]:
        return selectors.exports_visible_to(actor, permission)

    def heading(self, row: PersonalExport) -> str:
        return _("Data of %s") % row.customer.name

    def state(self, row: PersonalExport, page: Page) -> State:
        return _state(row)

    def polls(self, row: PersonalExport) -> int:
        return 0 if row.job.is_over else 2

    def facts(self, row: PersonalExport, page: Page) -> Sequence[Fact]:
        url = f"{detail_url('customers', row.customer_id)}?tab=copies"
        return [Fact(_("Customer"), row.customer.reference, "code", url=url)]

    def known(self, row: PersonalExport, page: Page) -> Sequence[Panel]:
        return [
            FactsPanel(
                title=_("What is known"),
                facts=[
                    Fact(_("Asked for"), row.requested_at, "datetime"),
                    Fact(_("By"), row.actor_label),
                    Fact(_("Ready"), row.done_at, "datetime"),
                    Fact(_("There until"), row.expires_at, "datetime"),
                    Fact(_("Size"), _size(row), "bytes"),
                    Fact(_("Trouble"), row.job.error),
                ],
            )
        ]
