"""Declarative bases of the customer portal; docs/console.md has an example.

A page is a template of the app that extends "portal/base.html", a `context`,
and, where it has a form, a `submit`. It works without JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponseBase
from django.urls import reverse

from dotmac.core.console.page import Done, Page
from dotmac.core.console.panels import Chart
from dotmac.core.console.states import Text
from dotmac.core.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLooking:
    """A member of staff sees what the customer sees: until when, where it ends."""

    reference: str
    ends_at: datetime
    end_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalPageRequest(Page):
    """A customer at a page: which customer, which form values and files.

    `looking` is set while staff look: the page is shown, nothing can be done.
    """

    customer_id: int
    form: Mapping[str, str]
    files: Mapping[str, UploadedFile[bytes]] = field(default_factory=dict)
    looking: PortalLooking | None = None

    def may(self, permission: str) -> bool:
        """For the customer shown: a person may have other rights for another."""
        held = self.actor.scope(permission) if permission else None
        return held is None or self.customer_id in held.customer_ids

    def require(self, permission: str) -> None:
        """Raise unless the person may do this for the customer shown."""
        if self.customer_id not in self.actor.require(permission).customer_ids:
            raise NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalMenuItem:
    """One of the four places of the bottom bar (home is the shell's)."""

    slug: str
    label: Text
    url_name: str
    icon: str
    order: int = 50
    permission: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True, slots=True)
class Shown:
    """The page itself answers a POST: what is shown once, such as codes."""

    context: dict[str, Any]


class PortalPage:
    """A page at /portal/<path>, named "portal:<name>", for a signed-in customer.

    `path` is a Django path such as "bills/<int:pk>"; its values arrive as
    keywords. Raise NotFound for what is not this customer's.
    """

    path: ClassVar[str]
    name: ClassVar[str]
    title: ClassVar[Text]
    template: ClassVar[str]
    menu: ClassVar[str] = ""  # slug of the menu item to mark as current
    # False for a page whose opening does something: staff who look do not open it.
    only_shows: ClassVar[bool] = True

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        """What the template shows. Fetch through the customer's own rows."""
        return {}

    def respond(self, page: PortalPageRequest, **path: Any) -> HttpResponseBase | None:
        """Answer a GET with something else than the template: a PDF, a redirect."""
        return None

    def submit(
        self, page: PortalPageRequest, **path: Any
    ) -> Done | HttpResponseBase | Shown | dict[str, Any]:
        """Answer a POST: `Done`, a redirect to outside, what is shown once, or
        context with errors.

        A DomainError is shown on the page as `error`, with what was typed in
        `form` of the template's context.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCard:
    """A card on the portal's home. `context` None leaves the card out."""

    app: str
    template: str
    context: Callable[[PortalPageRequest], dict[str, Any] | None]
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSeries:
    """Numbers behind /portal/series/<name> for the usage graph."""

    name: str
    chart: Callable[[PortalPageRequest], Chart | None]


PageT = TypeVar("PageT", bound=type[PortalPage])
_PAGES: dict[str, PortalPage] = {}
_MENU: dict[str, PortalMenuItem] = {}
_CARDS: dict[tuple[str, str], HomeCard] = {}
_SERIES: dict[str, PortalSeries] = {}


def register_page(page: PageT) -> PageT:
    """Class decorator: mount the page under /portal/."""
    _PAGES[page.name] = page()
    return page


def register_menu(item: PortalMenuItem) -> None:
    _MENU[item.slug] = item


def register_card(card: HomeCard) -> None:
    _CARDS[card.app, card.template] = card


def register_series(series: PortalSeries) -> None:
    _SERIES[series.name] = series


def pages() -> Sequence[PortalPage]:
    return list(_PAGES.values())


def menu() -> Sequence[PortalMenuItem]:
    return sorted(_MENU.values(), key=lambda item: item.order)


def cards() -> Sequence[HomeCard]:
    return sorted(_CARDS.values(), key=lambda card: card.order)


def find_series(name: str) -> PortalSeries | None:
    return _SERIES.get(name)
