"""What beat asks of federation."""

from celery import shared_task
from django.utils import timezone

from apps.federation import operations


@shared_task(name="federation.withdraw_roles", acks_late=True, time_limit=300)
def withdraw_roles(**_later: object) -> int:
    """Take roles whose group, connection or latest sign-in does not stand any more."""
    return operations.withdraw_lapsed(now=timezone.now())


@shared_task(name="federation.forget_old", acks_late=True, time_limit=120)
def forget_old(**_later: object) -> int:
    """Delete ways to providers, codes and tokens that were over a day ago."""
    now = timezone.now()
    return operations.forget_flows(now=now) + operations.forget_codes(now=now)
