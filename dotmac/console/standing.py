"""What a customer owes, in words, in the header of the customer page."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.billing import selectors as billing
from apps.identity import selectors as identity
from dotmac.core.console import (
    Fact,
    HomeContribution,
    HomeNeed,
    HubContribution,
    Page,
    Tile,
    list_url,
    register_home,
    register_hub,
)
from dotmac.core.console.render import balance_words
from dotmac.core.money import Money

COUNT_MAX = 1_000


def facts(customer_id: int, page: Page) -> Sequence[Fact]:
    """Balance, and since when how much of it is overdue."""
    if not page.may("billing.view_invoice"):
        return []
    standing = billing.standing_of(customer_id, day=page.today)
    url = list_url("invoices", customer=customer_id)
    found = [Fact(_("Balance"), balance_words(standing.balance), url=url)]
    due = standing.earliest_due_date
    if not standing.overdue or due is None:
        return found
    days = (page.today - due).days
    late = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    why = _("%(amount)s was due by %(due)s.") % {
        "amount": standing.overdue,
        "due": due.strftime("%d %b %Y"),
    }
    return [*found, Fact(_("Overdue"), late, why=why)]


def family(customer_id: int, page: Page) -> Sequence[Tile]:
    """What a head office and all within reach directly below it owe together."""
    if not page.may("billing.view_invoice"):
        return []
    reach = identity.customers_visible_to(page.actor, "billing.view_invoice")
    below = reach.filter(parent_id=customer_id).order_by("pk")[:COUNT_MAX]
    keys = list(below.values_list("pk", flat=True))
    if not keys:
        return []
    totals: dict[str, Money] = {}
    for balance in billing.balances_of([customer_id, *keys]).values():
        held = totals.get(balance.currency, Money(0, balance.currency))
        totals[balance.currency] = held + balance
    words = " · ".join(balance_words(total) for total in totals.values())
    why = _("This customer and %(count)s below it.") % {"count": len(keys)}
    url = list_url("customers", parent=customer_id)
    return [Tile(label=_("With all below"), value=words, why=why, url=url, order=15)]


def needs(page: Page) -> Sequence[HomeNeed]:
    """Customers with an overdue bill, within what this person may see."""
    late = billing.invoices_visible_to(page.actor, "billing.view_invoice").filter(
        kind="invoice", state="open", due_date__lt=page.today
    )
    customers = late.order_by().values("customer_id").distinct()[:COUNT_MAX]
    return [
        HomeNeed(
            label=_("Customers with an overdue bill"),
            count=customers.count(),
            url=list_url("invoices", overdue=page.today.isoformat()),
            detail=_("remind, promise or record what was paid"),
            icon="cash",
        )
    ]


register_home(
    HomeContribution(
        app="console.standing",
        permission="billing.view_invoice",
        order=30,
        needs=needs,
    )
)
register_hub(
    HubContribution(app="console.standing", order=10, facts=facts, tiles=family)
)
