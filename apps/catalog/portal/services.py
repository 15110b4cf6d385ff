"""My services: plan, state with its why, addresses. Works without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.catalog import selectors
from apps.catalog.selectors import ServiceView
from dotmac.core.console.states import State, state_of
from dotmac.core.portal import (
    HomeCard,
    PortalMenuItem,
    PortalPage,
    PortalPageRequest,
    register_card,
    register_menu,
    register_page,
)

SHOWN_MAX = 50
_WAITING = {
    "pending": _("We will connect it soon."),
    "provisioning": _("It is being connected now."),
}
# What a hold means to the person who has the line, and what helps.
_BY_REASON = {
    "non_payment": _("A bill is overdue. Pay it, and your connection is back."),
    "quota": _("The volume of your plan is used up."),
    "abuse": _("Something on your line disturbs others. Please call us."),
    "vacation": _("It rests, as you asked."),
    "admin": _("Please call us."),
}


def services_of(page: PortalPageRequest) -> Sequence[ServiceView]:
    """The customer's services, those that ended last."""
    rows = selectors.services_visible_to(page.actor, "catalog.view_service")
    mine = rows.filter(customer_id=page.customer_id).order_by("-pk")[:SHOWN_MAX]
    views = selectors.views_of(list(mine))
    ended = {"terminated"}
    return sorted(views.values(), key=lambda view: (view.state in ended, -view.id))


def state_with_why(view: ServiceView) -> tuple[State, list[Any]]:
    """The badge, and what it means to the customer."""
    if view.state in _WAITING:
        return state_of(view.state), [_WAITING[view.state]]
    reasons: list[Any] = [_BY_REASON[hold.reason] for hold in view.holds]
    if view.state == "walled_garden" and not reasons:
        reasons = [_("What you paid for is used up. Pay to go on.")]
    return state_of(view.state), reasons


@register_page
class Services(PortalPage):
    """All services of the customer."""

    path, name, title = "services", "services", _("My services")
    template, menu = "catalog/portal/services.html", "services"

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        page.require("catalog.view_service")
        return {"services": [(v, *state_with_why(v)) for v in services_of(page)]}


def card(page: PortalPageRequest) -> dict[str, Any] | None:
    """The services that have not ended; None where there is none."""
    if not page.may("catalog.view_service"):
        return None
    living = [view for view in services_of(page) if view.state != "terminated"]
    if not living:
        return None
    return {"services": [(view, *state_with_why(view)) for view in living]}


register_menu(
    PortalMenuItem(
        slug="services",
        label=_("Services"),
        url_name="portal:services",
        icon="router",
        order=20,
        permission="catalog.view_service",
    )
)
register_card(
    HomeCard(
        app="catalog",
        template="catalog/portal/card_services.html",
        order=20,
        context=card,
    )
)
