"""The side rail and what every page of the console shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dotmac.core.console import MenuItem, Page, list_url, registry
from dotmac.core.console.screens import MENU_GROUPS
from dotmac.core.console.states import Text
from dotmac.core.telemetry import request_id_var


@dataclass(slots=True)
class Group:
    """A heading of the rail with its links."""

    label: Text
    items: list[tuple[MenuItem, bool]] = field(default_factory=list)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: cheap facts always, the rail only for the console."""
    page: Page | None = getattr(request, "page", None)
    context: dict[str, Any] = {
        "operator_name": settings.OPERATOR_NAME,
        "operator_zone": settings.OPERATOR_ZONE.key,
        "demo": settings.DEMO,
        "request_id": request_id_var.get(),
        "version": settings.VERSION,
        "api_docs": settings.GATEWAY_MODE == "development",
        "sign_out_url": reverse("console-sign-out"),
    }
    if page is not None:
        context["page"] = page
        context["menu"] = menu(page) if request.path.startswith("/console") else []
        context["may_move_date"] = settings.DEMO and page.may("ops.set_business_date")
    return context


def menu(page: Page) -> list[Group]:
    """Links that this person may follow, by group, in order."""
    groups = {name: Group(label) for name, label in MENU_GROUPS.items()}
    home = MenuItem(
        slug="home", label=_("Home"), url=reverse("console:home"), icon="home", group=""
    )
    at_home = page.path.rstrip("/") == home.url.rstrip("/")
    groups[home.group].items.append((home, at_home))
    for item in sorted(_items(page), key=lambda item: item.order):
        groups[item.group].items.append((item, _is_current(item.url, page.path)))
    return [group for group in groups.values() if group.items]


def _items(page: Page) -> list[MenuItem]:
    own = [
        MenuItem(
            slug=screen.slug,
            label=screen.title,
            url=list_url(screen.slug),
            icon=screen.icon,
            group=screen.menu,
            order=screen.menu_order,
            permission=screen.permission,
        )
        for screen in registry.screens()
        if screen.menu is not None
    ]
    return [i for i in [*own, *registry.menu.values()] if page.may(i.permission)]


def _is_current(url: str, path: str) -> bool:
    return path == url or path.startswith(f"{url}/")
