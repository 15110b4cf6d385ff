"""What races need besides a database of their own."""

from tests.billing.gateway import gateway

__all__ = ["gateway"]
