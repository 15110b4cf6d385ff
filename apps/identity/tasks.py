"""What beat asks of identity."""

from celery import shared_task
from django.utils import timezone

from apps.identity import operations


@shared_task(name="identity.forget_sessions", acks_late=True, time_limit=120)
def forget_sessions(**_later: object) -> int:
    """Delete sign-in sessions that were over 90 days ago, with their tokens."""
    return operations.forget_sessions(now=timezone.now())


@shared_task(name="identity.end_looks", acks_late=True, time_limit=60)
def end_looks(**_later: object) -> int:
    """End looks at customers' portals whose time is over."""
    return operations.end_looks(now=timezone.now())
