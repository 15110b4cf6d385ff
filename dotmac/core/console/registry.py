"""Where apps leave their screens; the shell reads them.

Apps register in `apps/X/console.py` (or a package `apps/X/console/`), which the
shell imports when the URLs are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dotmac.core.console.columns import Fact
from dotmac.core.console.page import Page
from dotmac.core.console.panels import Chart, Panel, Tile
from dotmac.core.console.screens import (
    Action,
    DetailScreen,
    FormScreen,
    ListScreen,
    PageScreen,
    Screen,
    Tab,
)
from dotmac.core.console.states import State, Text
from dotmac.core.permissions import is_declared


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """One result. `exact` results (a whole reference, login, address) lead."""

    title: str
    url: str
    detail: str = ""
    state: State | str | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProvider:
    """Finds one kind of thing. `find(text, actor, limit)` must stay quick:
    exact match first, then an indexed prefix or trigram search, never a join."""

    slug: str
    label: Text
    permission: str
    find: Callable[[str, Any, int], Sequence[SearchHit]]
    icon: str = "search"
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """A link in the side rail that belongs to no registered screen."""

    slug: str
    label: Text
    url: str
    icon: str = "point"
    group: str = "system"
    order: int = 50
    permission: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubContribution:
    """What an app adds to the customer page.

    tabs and actions: `row` is the customer (pk, reference, name, state, …).
    tiles(customer_id, page) and overview(customer_id, page) fill the first tab,
    ordered by `order`; facts(customer_id, page) stay visible on every tab (what is
    owed). series(name, customer_id, page) gives the charts' numbers.
    """

    app: str
    order: int = 50
    tabs: Sequence[Tab] = ()
    actions: Sequence[Action] = ()
    facts: Callable[[int, Page], Sequence[Fact]] | None = None
    tiles: Callable[[int, Page], Sequence[Tile]] | None = None
    overview: Callable[[int, Page], Sequence[Panel]] | None = None
    series: Callable[[str, int, Page], Chart | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeNeed:
    """One line of "needs you" on the home page: count > 0 makes it appear."""

    label: Text
    count: int
    url: str
    tone: str = "warn"
    icon: str = "alert-triangle"
    detail: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeContribution:
    """What an app adds to the console's home.

    needs(page): lines for the queue. first_steps(page): (label, url, done) of a
    new installation. panels(page): cards. Each is asked only with `permission`.
    """

    app: str
    permission: str
    order: int = 50
    needs: Callable[[Page], Sequence[HomeNeed]] | None = None
    first_steps: Callable[[Page], Sequence[tuple[Text, str, bool]]] | None = None
    panels: Callable[[Page], Sequence[Panel]] | None = None


class Registry:
    """All screens of the console, by kind and slug."""

    def __init__(self) -> None:
        self.lists: dict[str, ListScreen] = {}
        self.details: dict[str, DetailScreen] = {}
        self.forms: dict[str, FormScreen] = {}
        self.pages: dict[str, PageScreen] = {}
        self.searches: dict[str, SearchProvider] = {}
        self.menu: dict[str, MenuItem] = {}
        self.hub: dict[str, HubContribution] = {}
        self.home: dict[str, HomeContribution] = {}

    def shelf(self, screen: Screen) -> dict[str, Any]:
        shelves: tuple[tuple[type[Screen], dict[str, Any]], ...] = (
            (ListScreen, self.lists),
            (DetailScreen, self.details),
            (FormScreen, self.forms),
            (PageScreen, self.pages),
        )
        for kind, shelf in shelves:
            if isinstance(screen, kind):
                return shelf
        raise TypeError(f"{screen!r} is no kind of screen.")

    def screens(self) -> list[Screen]:
        shelves = (self.lists, self.details, self.forms, self.pages)
        return [screen for shelf in shelves for screen in shelf.values()]


registry = Registry()
ScreenT = TypeVar("ScreenT", bound=type[Screen])


def register_screen(screen: ScreenT) -> ScreenT:
    """Class decorator. The permission must have been declared by an app."""
    made = screen()
    _check_permission(made.permission, screen.__name__)
    if isinstance(made, (DetailScreen, ListScreen)):
        for action in made.actions:
            _check_permission(action.permission, f"{screen.__name__}.{action.slug}")
    for each in made.bulk if isinstance(made, ListScreen) else ():
        _check_permission(each.permission, f"{screen.__name__}.{each.slug}")
    registry.shelf(made)[made.slug] = made
    return screen


def register_search(provider: SearchProvider) -> None:
    _check_permission(provider.permission, provider.slug)
    registry.searches[provider.slug] = provider


def register_menu(item: MenuItem) -> None:
    registry.menu[item.slug] = item


def register_hub(contribution: HubContribution) -> None:
    """Add to the customer page. One contribution per app."""
    for action in contribution.actions:
        _check_permission(action.permission, f"{contribution.app}.{action.slug}")
    registry.hub[contribution.app] = contribution


def register_home(contribution: HomeContribution) -> None:
    """Add to the console's home. One contribution per app."""
    _check_permission(contribution.permission, contribution.app)
    registry.home[contribution.app] = contribution


def _check_permission(permission: str, where: str) -> None:
    if not is_declared(permission):
        raise ValueError(f"{where}: permission {permission!r} is not declared.")
