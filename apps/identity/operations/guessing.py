"""Guessing is slowed: django-axes counts failures by user and address together.

axes works on requests; an operation has none, so it is given the three facts
that axes reads from one. Failures are stored outside the transaction that
refuses, or the refusal would take its own count back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from axes.attempts import get_cool_off_threshold
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.db.models import Max
from django.http import HttpRequest

from apps.identity.errors import SignInLocked

USERNAME_CHARACTERS_MAX = 150
# Where there is none (a socket): axes keeps its counts unique by address.
NO_ADDRESS = "0.0.0.0"  # noqa: S104  # nosec B104


class Attempt:
    """One try to sign in, as axes sees it."""

    def __init__(
        self, *, username: str, address: str, device: str, now: datetime
    ) -> None:
        self.credentials = {"username": username}
        self.username, self.now = username, now
        self.address = address or NO_ADDRESS
        self.device = device
        self.request = HttpRequest()
        self.request.method = "POST"
        facts = {
            "axes_updated": True,
            "axes_locked_out": False,
            "axes_attempt_time": now,
            "axes_ip_address": self.address,
            "axes_user_agent": device[:255],
            "axes_path_info": "",
            "axes_http_accept": "",
            "axes_failures_since_start": None,
            "axes_credentials": None,
        }
        for name, value in facts.items():
            setattr(self.request, name, value)

    def refuse_if_locked(self) -> None:
        """Raise SignInLocked with the seconds to wait."""
        if AxesProxyHandler.is_allowed(self.request, self.credentials):
            return
        latest = AccessAttempt.objects.filter(
            username=self.username, ip_address=self.address
        ).aggregate(at=Max("attempt_time"))["at"]
        threshold = get_cool_off_threshold(self.request)
        raise SignInLocked(retry_after_s=ceil((latest - threshold).total_seconds()))

    def failed(self) -> None:
        """Count a failure."""
        AxesProxyHandler.user_login_failed(
            sender="identity", credentials=self.credentials, request=self.request
        )

    def succeeded(self) -> None:
        """Forget the failures of this user from this address."""
        AccessAttempt.objects.filter(
            username=self.username, ip_address=self.address
        ).delete()


def forget_guesses(names: Sequence[str]) -> None:
    """Failures under these names; they hold what somebody typed. For operations."""
    AccessAttempt.objects.filter(username__in=names).delete()
