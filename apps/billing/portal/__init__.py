"""What customers see of billing: bills, paying, receipts. Works without JavaScript."""

from apps.billing.portal import bills, cards, pay

__all__ = ["bills", "cards", "pay"]
