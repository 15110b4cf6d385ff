"""What beat asks of identity."""

from celery import shared_task
from django.utils import timezone

from apps.identity import operations


@shared_task(name="identity.forget_decisions", acks_late=True, time_limit=300)
def forget_decisions(**_later: object) -> int:
    """Delete access decisions that are older than eight days, in batches."""
    return operations.forget_decisions(now=timezone.now())


@shared_task(name="identity.forget_sessions", acks_late=True, time_limit=120)
def forget_sessions(**_later: object) -> int:
    """Delete sign-in sessions that were over 90 days ago, with their tokens."""
    operations.forget_resets(now=timezone.now())
    return operations.forget_sessions(now=timezone.now())


@shared_task(name="identity.answer_reset_requests", acks_late=True, time_limit=60)
def answer_reset_requests(**_later: object) -> int:
    """Mail links for new passwords to those who asked, a bounded batch."""
    return operations.answer_reset_requests(now=timezone.now())


@shared_task(name="identity.make_exports", acks_late=True, time_limit=600)
def make_exports(**_later: object) -> int:
    """Make one copy of a customer's data that waits; forget what is too old."""
    operations.forget_exports(now=timezone.now())
    return operations.make_next_export(now=timezone.now()) or 0


@shared_task(name="identity.end_looks", acks_late=True, time_limit=60)
def end_looks(**_later: object) -> int:
    """End looks at customers' portals whose time is over."""
    return operations.end_looks(now=timezone.now())
