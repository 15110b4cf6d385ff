"""Cards of billing on the portal's home."""

from __future__ import annotations

from typing import Any

from apps.billing import selectors
from apps.billing.portal.bills import bill_state, bills_of
from dotmac.core.portal import HomeCard, PortalPageRequest, register_card

LATEST_MAX = 3


def due(page: PortalPageRequest) -> dict[str, Any] | None:
    """What is owed, and why the line is limited where it is."""
    if not page.may("billing.view_invoice"):
        return None
    return {
        "standing": selectors.standing_of(page.customer_id, day=page.today),
        "why": selectors.why_suspended(page.customer_id),
        "promise": selectors.promise_of(page.customer_id),
    }


def latest_bills(page: PortalPageRequest) -> dict[str, Any] | None:
    """The newest bills."""
    if not page.may("billing.view_invoice"):
        return None
    rows = list(bills_of(page).order_by("-pk")[:LATEST_MAX])
    return {"bills": [(row, bill_state(row, page)) for row in rows]}


register_card(
    HomeCard(
        app="billing", template="billing/portal/card_due.html", order=10, context=due
    )
)
register_card(
    HomeCard(
        app="billing",
        template="billing/portal/card_bills.html",
        order=60,
        context=latest_bills,
    )
)
