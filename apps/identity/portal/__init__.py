"""What customers see of themselves: their details, and who of us looked."""

from apps.identity.portal import account

__all__ = ["account"]
