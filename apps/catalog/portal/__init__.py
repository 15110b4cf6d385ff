"""What customers see of their services."""

from apps.catalog.portal import services

__all__ = ["services"]
