"""Staff screens of federation: identity providers, registered applications."""

from apps.federation.console import applications, connections, own

__all__ = ["applications", "connections", "own"]
