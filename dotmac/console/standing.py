"""What a customer owes, in words, in the header of the customer page."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.billing import selectors as billing
from dotmac.core.console import Fact, HubContribution, Page, list_url, register_hub
from dotmac.core.console.render import balance_words


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


register_hub(HubContribution(app="console.standing", order=10, facts=facts))
