"""What of ops needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from apps.ops import selectors
from apps.ops.enums import JobState, MessageState
from dotmac.core.console import (
    HomeContribution,
    HomeNeed,
    Page,
    list_url,
    register_home,
)

RECENT = timedelta(days=7)
COUNT_MAX = 1_000


def needs(page: Page) -> Sequence[HomeNeed]:
    """Failed work, parked events, undelivered mail, broken statements."""
    asked = (
        ("ops.view_job", failed_jobs),
        ("ops.view_event", parked_events),
        ("ops.view_message", failed_messages),
        ("ops.view_integrity", broken_statements),
    )
    return [ask(page) for permission, ask in asked if page.may(permission)]


def failed_jobs(page: Page) -> HomeNeed:
    failed = selectors.jobs(page.actor).filter(
        state=JobState.FAILED, finished_at__gte=page.now - RECENT
    )
    return HomeNeed(
        label=_("Failed jobs"),
        count=failed[:COUNT_MAX].count(),
        url=list_url("jobs", state="failed"),
        tone="bad",
        detail=_("in the last seven days"),
        icon="progress-x",
    )


def parked_events(page: Page) -> HomeNeed:
    return HomeNeed(
        label=_("Parked events"),
        count=selectors.parked_event_count(),
        url=list_url("events", state="parked"),
        tone="bad",
        detail=_("handlers failed; retry them"),
        icon="broadcast",
    )


def failed_messages(page: Page) -> HomeNeed:
    failed = selectors.messages(page.actor).filter(
        state=MessageState.FAILED, created_at__gte=page.now - RECENT
    )
    return HomeNeed(
        label=_("Undelivered messages"),
        count=failed[:COUNT_MAX].count(),
        url=list_url("messages", state="failed"),
        detail=_("in the last seven days"),
        icon="mail-exclamation",
    )


def broken_statements(page: Page) -> HomeNeed:
    broken = [r for r in selectors.latest_integrity_results() if r.offending]
    return HomeNeed(
        label=_("Broken integrity statements"),
        count=len(broken),
        url=list_url("integrity"),
        tone="bad",
        detail=_("in the latest run"),
        icon="shield-x",
    )


register_home(HomeContribution(app="ops", permission="ops.view_job", needs=needs))
