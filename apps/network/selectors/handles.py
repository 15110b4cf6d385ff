"""By which devices and lines an account is known."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.network.models import AccessHandle


def account_handles(account_id: int) -> QuerySet[AccessHandle]:
    """Those of one account; whoever shows them has asked for the account before."""
    return AccessHandle.objects.filter(account_id=account_id).order_by("pk")
