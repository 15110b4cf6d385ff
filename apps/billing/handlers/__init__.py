"""What billing does when something happened: one module for bills, one for cash."""

from apps.billing.handlers import bills, cash

__all__ = ["bills", "cash"]
