"""Declarative bases of staff screens. The shell in dotmac.console shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from dotmac.core.actors import Actor
from dotmac.core.console.columns import Column, Fact
from dotmac.core.console.filters import Filter
from dotmac.core.console.forms import ConsoleForm
from dotmac.core.console.page import Done, Page
from dotmac.core.console.panels import Button, Chart, Panel, Tile
from dotmac.core.console.states import State, Text

MENU_GROUPS: dict[str, Text] = {
    "": "",
    "customers": _("Customers"),
    "network": _("Network"),
    "money": _("Money"),
    "system": _("System"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something a person may do to one row: one permission, one operation.

    `run(row, data, page)` calls the operation with `actor=page.actor,
    now=page.now` and returns a sentence, a `Done`, or an answer of its own (a file). The shell checks the
    permission, fetches the row through `rows(actor, action.permission)`, and
    turns a DomainError into a field error or a message. An action is always a
    POST. With `form` or `confirm` a page (a dialog with JavaScript) asks first, and
    `shows` puts panels above the question: what is decided by the answer.
    """

    slug: str
    label: Text
    permission: str
    run: Callable[[Any, dict[str, Any], Page], Done | HttpResponseBase | str | None]
    form: type[ConsoleForm] | None = None
    confirm: Text | Callable[[Any, Page], Text] = ""
    shows: Callable[[Any, Page], Sequence[Panel]] | None = None
    shown: Callable[[Any], bool] | None = None
    initial: Callable[[Any, Page], dict[str, Any]] | None = None
    icon: str = ""
    tone: str = ""  # "" | "primary" | "danger"
    success: Text = ""
    submit: Text = ""  # on the form's button, when the label does not fit there
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab of a detail page. `build(row, page)` gives its panels.

    `build` may be the name of a method of the screen. Only the open tab is built.
    """

    slug: str
    label: Text
    build: str | Callable[[Any, Page], Sequence[Panel]]
    permission: str = ""
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction:
    """Something a person may do to the chosen rows of a list: one operation.

    `run(rows, data, page)` gets the rows that `rows(actor, permission)` reaches;
    where one of the chosen is not among them, nothing is done. It returns a
    sentence, or a `Done` that leads to where the outcome is shown.
    """

    slug: str
    label: Text
    permission: str
    form: type[ConsoleForm]
    run: Callable[[list[Any], dict[str, Any], Page], Done | str]
    icon: str = ""


class Screen:
    """What lists, details and forms share.

    Set `menu` to a key of MENU_GROUPS to appear in the side rail.
    """

    slug: ClassVar[str]
    title: ClassVar[Text]
    permission: ClassVar[str]
    icon: ClassVar[str] = "point"
    menu: ClassVar[str | None] = None
    menu_order: ClassVar[int] = 50


class ListScreen(Screen):
    """A list at /console/<slug>. Keyset pages, filters in the URL, export.

    `ordering` names one to three fields, all in one direction, none nullable,
    the last unique; an index over them keeps deep pages as quick as the first.
    `buttons` stand beside the heading ("New customer"), `actions` on each row.
    """

    columns: ClassVar[Sequence[Column]] = ()
    filters: ClassVar[Sequence[Filter]] = ()
    ordering: ClassVar[Sequence[str]] = ("-pk",)
    search_hint: ClassVar[Text] = ""
    empty: ClassVar[Text] = _("Nothing here yet.")
    intro: ClassVar[Text] = ""
    buttons: ClassVar[Sequence[Button]] = ()
    actions: ClassVar[Sequence[Action]] = ()
    bulk: ClassVar[Sequence[BulkAction]] = ()
    poll_s: ClassVar[int] = 0
    export: ClassVar[bool] = True

    def all_columns(self, page: Page) -> Sequence[Column]:
        """The columns, with those that depend on stored definitions."""
        return self.columns

    def all_filters(self, page: Page) -> Sequence[Filter]:
        """The filters, with those that depend on stored definitions."""
        return self.filters

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        """The rows that the actor may see, select_related for the columns."""
        raise NotImplementedError

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Narrow by what was typed; offered only when `search_hint` is set."""
        return rows.none()

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        """Hook: fetch what the columns need for one page of rows, set-based."""
        return rows

    def row_url(self, row: Any) -> str | None:
        """Where the row leads. None: to the detail screen of the same slug."""
        return None

    def summary(self, page: Page) -> Sequence[Tile]:
        """A few figures above the list, when they explain it."""
        return ()


class DetailScreen(Screen):
    """One record at /console/<slug>/<pk>: header, facts, tabs, actions."""

    tabs: ClassVar[Sequence[Tab]] = ()
    actions: ClassVar[Sequence[Action]] = ()
    poll_s: ClassVar[int] = 0

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        """The rows that the actor may see or, for an action, may act on."""
        raise NotImplementedError

    def heading(self, row: Any) -> Text:
        return str(row)

    def subheading(self, row: Any, page: Page) -> Text:
        return ""

    def state(self, row: Any, page: Page) -> State | str | None:
        """The badge beside the heading, with its why."""
        return None

    def facts(self, row: Any, page: Page) -> Sequence[Fact]:
        """Facts that stay visible on every tab."""
        return ()

    def tiles(self, row: Any, page: Page) -> Sequence[Tile]:
        return ()

    def all_tabs(self) -> Sequence[Tab]:
        return self.tabs

    def all_actions(self) -> Sequence[Action]:
        return self.actions

    def aside(self, row: Any, page: Page) -> Sequence[Panel]:
        """Panels at the right of the tabs, below them on a phone."""
        return ()

    def links(self, row: Any, page: Page) -> Sequence[Button]:
        """Plain links beside the actions, e.g. a PDF."""
        return ()

    def polls(self, row: Any) -> int:
        """Seconds between refreshes, 0 for none (a finished job)."""
        return self.poll_s

    def series(self, name: str, row: Any, page: Page) -> Chart | None:
        """Numbers behind /console/<slug>/<pk>/series/<name>."""
        return None


class FormScreen(Screen):
    """A form at /console/<slug> where slug is "things/new": one operation."""

    form: ClassVar[type[ConsoleForm]]
    submit_label: ClassVar[Text] = _("Save")
    intro: ClassVar[Text] = ""
    danger: ClassVar[bool] = False

    def initial(self, page: Page) -> dict[str, Any]:
        return {}

    def run(self, data: dict[str, Any], page: Page) -> Done:
        """Call the operation; DomainError.field names the field to mark."""
        raise NotImplementedError

    def above(self, page: Page) -> Sequence[Panel]:
        """Panels above the form: what a person needs to fill it in."""
        return ()

    def preview(self, data: dict[str, Any], page: Page) -> Sequence[Panel]:
        """With `previews = True`: shown below before anything is done."""
        return ()

    previews: ClassVar[bool] = False


class PageScreen(Screen):
    """A page at /console/<slug> made of panels, where no list fits."""

    intro: ClassVar[Text] = ""
    buttons: ClassVar[Sequence[Button]] = ()
    poll_s: ClassVar[int] = 0

    def panels(self, page: Page) -> Sequence[Panel]:
        raise NotImplementedError

    def tiles(self, page: Page) -> Sequence[Tile]:
        return ()
