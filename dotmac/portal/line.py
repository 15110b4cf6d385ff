"""The customer's services and usage in the portal: what joins catalog and network."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy

from apps.analytics import selectors as analytics
from apps.identity import selectors as identity
from dotmac.core.console.panels import Chart
from dotmac.core.portal import (
    HomeCard,
    PortalPage,
    PortalPageRequest,
    PortalSeries,
    register_card,
    register_page,
    register_series,
)

_VIEW = "network.view_usage"
_WINDOWS = {
    "day": gettext_lazy("Today"),
    "week": gettext_lazy("This week"),
    "month": gettext_lazy("This month"),
}


def _accounts(page: PortalPageRequest) -> list[int]:
    """The lines of the customer shown, for who may see how they are used."""
    if not page.may(_VIEW):
        return []
    return list(analytics.account_ids_of(page.customer_id))


def usage_card(page: PortalPageRequest) -> dict[str, Any] | None:
    """Today by the branch's clock, the last 24 hours drawn. None without a line."""
    accounts = _accounts(page)
    if not accounts:
        return None
    zone = identity.zone_of_customer(page.customer_id)
    return {
        "today": analytics.usage_windows_of(accounts, page.now, zone)["day"],
        "chart": chart(page),
        "source": reverse("portal:series", args=["usage"]),
    }


def chart(page: PortalPageRequest) -> Chart:
    """Usage by hour in the range that the query names."""
    _name, span = analytics.chosen_range(page.query.get("range", ""))
    accounts = _accounts(page)
    return analytics.usage_chart(accounts, page.now, span)


@register_page
class UsagePage(PortalPage):
    """The graph for a day, a week, a month, with its table."""

    path = "usage"
    name = "usage"
    title = gettext_lazy("Usage")
    template = "portal/usage.html"
    menu = "home"

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        name, span = analytics.chosen_range(page.query.get("range", ""))
        page.require(_VIEW)
        accounts = _accounts(page)
        source = reverse("portal:series", args=["usage"])
        zone = identity.zone_of_customer(page.customer_id)
        windows = analytics.usage_windows_of(accounts, page.now, zone)
        return {
            "windows": [(_WINDOWS[name], found) for name, found in windows.items()],
            "zone": zone,
            "cut": settings.OPERATOR_ZONE,
            "exact": all(found.exact for found in windows.values()),
            "chart": analytics.usage_chart(accounts, page.now, span),
            "total": analytics.usage_of(accounts, page.now - span, page.now),
            "source": f"{source}?range={name}",
            "range": name,
            "ranges": [(value, text) for value, text, _s in analytics.USAGE_RANGES],
        }


register_series(PortalSeries(name="usage", chart=chart))
register_card(
    HomeCard(
        app="line", template="portal/card_usage.html", order=40, context=usage_card
    )
)
