"""Imports of users from other RADIUS servers: upload, preview, progress, comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.console.choices import named_choices
from apps.network.console.import_columns import (
    DIFFERENCE_COLUMNS,
    ROW_COLUMNS,
    import_state,
    told,
    verdict_state,
)
from apps.network.enums import ComparisonVerdict, ImportRowState, ImportState
from apps.network.models import AccountImport, AccountImportRow, Nas, RateProfile
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    ChoiceFilter,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    TextPanel,
    Tile,
    detail_url,
    list_url,
    register_screen,
)

ROWS_MAX = 25
POLL_S = 3
_BUSY = (ImportState.RUNNING, ImportState.UNDOING)


@register_screen
class ImportList(ListScreen):
    slug = "account-imports"
    title = gettext_lazy("Imports")
    permission = "network.view_account_import"
    icon = "database-import"
    menu = "network"
    menu_order = 80
    empty = gettext_lazy(
        "No users were imported yet. Bring those of a FreeRADIUS or a MikroTik User"
        " Manager; nothing is opened before you have seen what would become of each."
    )
    columns = (
        Column(gettext_lazy("Import"), "name"),
        Column(gettext_lazy("From"), "get_source_display"),
        Column(gettext_lazy("State"), import_state, "state"),
        Column(gettext_lazy("Read"), "created_at", "datetime"),
        Column(gettext_lazy("By"), "actor_label", phone=False),
    )
    filters = (
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=ImportState.choices
        ),
    )
    buttons = (
        Button(
            label=gettext_lazy("Import users"),
            url="account-imports/new",
            icon="plus",
            tone="primary",
            permission="network.import_accounts",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.account_imports(actor, permission)


@register_screen
class ImportRowList(ListScreen):
    slug = "account-import-rows"
    title = gettext_lazy("Imported users")
    permission = "network.view_account_import"
    icon = "users"
    ordering = ("pk",)
    search_hint = gettext_lazy("Login, from its beginning")
    columns = (
        *ROW_COLUMNS,
        Column(
            gettext_lazy("Import"), "batch.name", to="account-imports", to_id="batch_id"
        ),
        Column(gettext_lazy("Answers"), verdict_state, "state", phone=False),
        Column(gettext_lazy("What differs"), told, "long", phone=False),
    )
    filters = (
        IdFilter(name="import", label=gettext_lazy("Import"), field="batch_id"),
        ChoiceFilter(
            name="state", label=gettext_lazy("State"), choices=ImportRowState.choices
        ),
        ChoiceFilter(
            name="verdict",
            label=gettext_lazy("Answers"),
            choices=ComparisonVerdict.choices,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.account_import_rows(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(login__startswith=text)

    def row_url(self, row: AccountImportRow) -> str:
        if row.account_id is not None:
            return detail_url("accounts", row.account_id)
        return detail_url("account-imports", row.batch_id)


def _start(row: AccountImport, data: dict[str, Any], page: Page) -> str:
    operations.start_import(import_id=row.pk, actor=page.actor, now=page.now)
    return _("The accounts are being opened.")


def _discard(row: AccountImport, data: dict[str, Any], page: Page) -> str:
    operations.discard_import(import_id=row.pk, actor=page.actor, now=page.now)
    return _("It was thrown away, with everything that was read.")


def _undo(row: AccountImport, data: dict[str, Any], page: Page) -> str:
    operations.undo_import(import_id=row.pk, actor=page.actor, now=page.now)
    return _("The accounts that nobody used are being closed.")


def _opens(row: AccountImport, page: Page) -> str:
    counts = selectors.import_counts(row.pk)
    return _(
        "Accounts to open: %(ready)d; RADIUS lets them in from then on. Users that are"
        " not imported: %(refused)d."
    ) % {"ready": counts.ready, "refused": counts.refused}


@register_screen
class ImportDetail(DetailScreen):
    slug = "account-imports"
    title = gettext_lazy("Import")
    permission = "network.view_account_import"
    icon = "database-import"
    tabs = (
        Tab(slug="users", label=gettext_lazy("Users"), build="users"),
        Tab(slug="comparison", label=gettext_lazy("Comparison"), build="comparison"),
    )
    actions = (
        Action(
            slug="start",
            label=gettext_lazy("Open the accounts"),
            permission="network.import_accounts",
            icon="player-play",
            tone="primary",
            shown=lambda row: row.state == ImportState.PREVIEW,
            confirm=_opens,
            run=_start,
            order=10,
        ),
        Action(
            slug="discard",
            label=gettext_lazy("Throw away"),
            permission="network.import_accounts",
            icon="trash",
            tone="danger",
            shown=lambda row: row.state == ImportState.PREVIEW,
            confirm=gettext_lazy("What was read is deleted, passwords among it."),
            run=_discard,
        ),
        Action(
            slug="undo",
            label=gettext_lazy("Take back"),
            permission="network.import_accounts",
            icon="arrow-back-up",
            tone="danger",
            shown=lambda row: row.state == ImportState.DONE,
            confirm=gettext_lazy(
                "Accounts of this import that never had a session are closed for good."
            ),
            run=_undo,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.account_imports(actor, permission)

    def subheading(self, row: AccountImport, page: Page) -> str:
        return row.get_source_display()

    def state(self, row: AccountImport, page: Page) -> State:
        return import_state(row)

    def polls(self, row: AccountImport) -> int:
        return POLL_S if row.state in _BUSY else 0

    def facts(self, row: AccountImport, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("Read"), row.created_at, "datetime"),
            Fact(_("By"), row.actor_label),
            Fact(
                _("Users without a speed get"),
                row.profile.name if row.profile else _("no account"),
            ),
            Fact(_("For the NAS"), row.nas.name if row.nas else _("any")),
        ]

    def tiles(self, row: AccountImport, page: Page) -> Sequence[Tile]:
        counts = selectors.import_counts(row.pk)
        tiles = [
            Tile(label=_("Ready"), value=counts.ready, kind="number"),
            Tile(label=_("Opened"), value=counts.opened, kind="number"),
            Tile(
                label=_("Not imported"), value=counts.refused, kind="number",
                url=_rows_url(row, state=ImportRowState.REFUSED),
            ),
        ]  # fmt: skip
        if row.job is not None and row.state in _BUSY:
            tiles.append(
                Tile(label=_("Progress"), value=row.job.percent, kind="progress")
            )
        return tiles

    def users(self, row: AccountImport, page: Page) -> Sequence[Panel]:
        mine = selectors.account_import_rows(page.actor).filter(batch=row)
        shown = mine.order_by("number")
        refused = shown.filter(state=ImportRowState.REFUSED)
        panels: list[Panel] = [
            TablePanel(
                title=_("Not imported"),
                columns=ROW_COLUMNS,
                rows=refused[:ROWS_MAX],
                empty=_("Every user can be imported."),
                more_url=_rows_url(row, state=ImportRowState.REFUSED),
                note=_("Put it right where it stands, then import the file again."),
            ),
            TablePanel(
                title=_("Users"),
                columns=ROW_COLUMNS,
                rows=shown.exclude(state=ImportRowState.REFUSED)[:ROWS_MAX],
                empty=_("None."),
                more_url=_rows_url(row),
            ),
        ]
        if row.left:
            panels.append(
                FactsPanel(
                    title=_("Files that were left aside"),
                    facts=[Fact(name, _("no table of users")) for name in row.left],
                )
            )
        return panels

    def comparison(self, row: AccountImport, page: Page) -> Sequence[Panel]:
        counts = selectors.import_counts(row.pk)
        name = row.compared_as.name if row.compared_as else ""
        facts = [
            Fact(_("May be switched"), _ready(row, counts)),
            Fact(_("Asked as"), name),
            Fact(_("Ended"), row.compared_at, "datetime"),
            Fact(_("The same"), counts.same, "number"),
            Fact(_("Different"), counts.different, "number"),
            Fact(_("No answer"), counts.silent, "number"),
            Fact(_("Not asked"), counts.total - counts.compared, "number"),
        ]
        mine = selectors.account_import_rows(page.actor).filter(batch=row)
        other = mine.exclude(verdict__in=("", ComparisonVerdict.SAME))
        return [
            FactsPanel(title=_("Old server and DotMac"), facts=facts),
            TablePanel(
                title=_("What differs"),
                columns=DIFFERENCE_COLUMNS,
                rows=other.order_by("number")[:ROWS_MAX],
                empty=(
                    _("Nothing.") if counts.compared else _("Nobody has compared yet.")
                ),
                more_url=_rows_url(row, verdict=ComparisonVerdict.DIFFERENT),
            ),
            TextPanel(
                title=_("To compare, on the server of DotMac"), text=_command(row)
            ),
        ]


def _ready(row: AccountImport, counts: selectors.ImportCounts) -> str:
    if counts.may_switch and row.compared_at is not None:
        return _("Yes: every user gets the same answer.")
    if not counts.compared:
        return _("Nobody has compared yet.")
    return _("Not yet.")


def _command(row: AccountImport) -> str:
    return (
        f"python3 manage.py compare_radius --import {row.pk} --old HOST:PORT"
        " --secret-file FILE --source ADDRESS"
    )


def _rows_url(row: AccountImport, **narrowed: str) -> str:
    return list_url("account-import-rows", **{"import": row.pk, **narrowed})


class NewImportForm(ConsoleForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.ClearableFileInput({"accept": ".csv,.zip,.rsc,.txt"}),
        help_text=gettext_lazy(
            "radcheck.csv, or a zip of it with radreply.csv, radusergroup.csv,"
            " radgroupcheck.csv and radgroupreply.csv; or a User Manager's users as CSV"
            " or export. In UTF-8, at most 5 MB; larger ones by the command"
            " import_accounts."
        ),
        allow_empty_file=True,  # the operation says what is wrong with it
    )
    profile_id = forms.TypedChoiceField(
        label=gettext_lazy("Rate profile of users without a speed"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy("Without one they are not imported."),
    )
    nas_id = forms.TypedChoiceField(
        label=gettext_lazy("NAS that is to be switched"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy(
            "What its attributes say, users need not. Without one: what all NASes say."
        ),
    )

    def arrange(self) -> None:
        profiles = named_choices(RateProfile.objects.all(), empty=True)
        nases = named_choices(Nas.objects.all(), empty=True)
        self.fields["profile_id"].choices = profiles  # type: ignore[attr-defined]
        self.fields["nas_id"].choices = nases  # type: ignore[attr-defined]


@register_screen
class NewImport(FormScreen):
    slug = "account-imports/new"
    title = gettext_lazy("Import users")
    permission = "network.import_accounts"
    icon = "database-import"
    form = NewImportForm
    submit_label = gettext_lazy("Read the file")
    intro = gettext_lazy("The next page says what would become of each user.")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        file = data.pop("file")
        batch = operations.begin_import(
            name=file.name[:120],
            files=[(file.name, file.read())],
            zone=settings.OPERATOR_ZONE,
            **data,
            actor=page.actor,
            now=page.now,
        )
        return Done(_("The file was read."), detail_url("account-imports", batch.pk))
