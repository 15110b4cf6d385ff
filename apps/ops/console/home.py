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
    since = page.now - RECENT
    found = []
    if page.may("ops.view_job"):
        failed = selectors.jobs(page.actor).filter(
            state=JobState.FAILED, finished_at__gte=since
        )
        found.append(
            HomeNeed(
                label=_("Failed jobs"),
                count=failed[:COUNT_MAX].count(),
                url=list_url("jobs", state="failed"),
                tone="bad",
                detail=_("in the last seven days"),
                icon="progress-x",
            )
        )
    if page.may("ops.view_event"):
        found.append(
            HomeNeed(
                label=_("Parked events"),
                count=selectors.parked_event_count(),
                url=list_url("events", state="parked"),
                tone="bad",
                detail=_("handlers failed; retry them"),
                icon="broadcast",
            )
        )
    if page.may("ops.view_message"):
        failed_mail = selectors.messages(page.actor).filter(
            state=MessageState.FAILED, created_at__gte=since
        )
        found.append(
            HomeNeed(
                label=_("Undelivered messages"),
                count=failed_mail[:COUNT_MAX].count(),
                url=list_url("messages", state="failed"),
                detail=_("in the last seven days"),
                icon="mail-exclamation",
            )
        )
    if page.may("ops.view_integrity"):
        broken = [r for r in selectors.latest_integrity_results() if r.offending]
        found.append(
            HomeNeed(
                label=_("Broken integrity statements"),
                count=len(broken),
                url=list_url("integrity"),
                tone="bad",
                detail=_("in the latest run"),
                icon="shield-x",
            )
        )
    return found


register_home(HomeContribution(app="ops", permission="ops.view_job", needs=needs))
