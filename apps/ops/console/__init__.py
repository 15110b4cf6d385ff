"""Staff screens of ops: jobs, audit, messages, events, integrity."""

from apps.ops.console import audit, events, home, integrity, jobs, messages

__all__ = ["audit", "events", "home", "integrity", "jobs", "messages"]
