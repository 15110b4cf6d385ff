"""The customer's own details, and who of the staff looked at the account."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.identity import selectors
from dotmac.core.portal import (
    HomeCard,
    PortalPage,
    PortalPageRequest,
    register_card,
    register_page,
)

LOOKS_MAX = 50


@register_page
class Account(PortalPage):
    """Name, address, places, people, and the operator's own fields that are shown."""

    path, name, title = "account", "account", _("Your details")
    template, menu = "identity/portal/account.html", ""

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        page.require("identity.view_customer")
        customer = selectors.customer_of(page.customer_id)
        shown = selectors.custom_fields().filter(in_portal=True)
        return {
            "snapshot": selectors.customer_snapshot(page.customer_id),
            "contacts": selectors.contacts_of(page.customer_id)[:LOOKS_MAX],
            "locations": selectors.locations_of(page.customer_id)[:LOOKS_MAX],
            "own": [(field.name, customer.custom.get(field.slug)) for field in shown],
            "here": "account",
            "looks": selectors.looks_at(page.customer_id)[:LOOKS_MAX],
        }


def _looked(page: PortalPageRequest) -> dict[str, Any] | None:
    """Announced on the first page for some days."""
    look = selectors.latest_look(page.customer_id, now=page.now)
    return None if look is None else {"look": look}


register_card(
    HomeCard(
        app="identity",
        template="identity/portal/card_look.html",
        order=90,
        context=_looked,
    )
)
