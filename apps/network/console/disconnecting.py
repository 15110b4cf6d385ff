"""Ending many sessions from the console: the chosen ones, or a whole NAS or site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network import operations, selectors
from apps.network.models import Nas, SessionLive, Site
from dotmac.core.console import (
    Action,
    BulkAction,
    ConsoleForm,
    Done,
    Filter,
    Page,
    list_url,
)
from dotmac.core.console.filters import FilterRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFilter(Filter):
    """Requests that were made together, put there by a link; not typed."""

    @property
    def widget(self) -> str:
        return "hidden"

    def clean(self, text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError as error:
            raise FilterRefused from error


class NoForm(ConsoleForm):
    """Nothing more is asked than which rows."""


def disconnect_chosen(
    rows: list[SessionLive], data: dict[str, Any], page: Page
) -> Done:
    made = operations.disconnect_sessions(
        session_ids=[row.pk for row in rows], actor=page.actor, now=page.now
    )
    told = _(
        "%(asked)s of %(chosen)s sessions are being ended. The answers appear here."
    )
    return Done(
        told % {"asked": made.asked, "chosen": len(rows)},
        list_url("coa-requests", batch=str(made.batch)),
    )


DISCONNECT_CHOSEN = BulkAction(
    slug="disconnect",
    label=gettext_lazy("Disconnect the chosen"),
    permission="network.disconnect_session",
    form=NoForm,
    run=disconnect_chosen,
    icon="plug-x",
)


def _question(place: Nas | Site, page: Page) -> str:
    count = selectors.open_session_count(**_where(place))
    return _(
        "%(count)s sessions end, up to 500 at once, the others as a job. Subscribers "
        "dial in again at once."
    ) % {"count": count}


def _end_all(place: Nas | Site, data: dict[str, Any], page: Page) -> Done:
    run = operations.disconnect_place(**_where(place), actor=page.actor, now=page.now)
    told = _(
        "%(total)s sessions are being ended (job %(job)s). The answers appear here."
    )
    return Done(
        told % {"total": run.job.total, "job": run.job_id},
        list_url("coa-requests", batch=str(run.batch)),
    )


def _where(place: Nas | Site) -> dict[str, int]:
    return {"nas_id" if isinstance(place, Nas) else "site_id": place.pk}


DISCONNECT_ALL = Action(
    slug="disconnect-all",
    label=gettext_lazy("Disconnect all"),
    permission="network.disconnect_place",
    icon="plug-x",
    tone="danger",
    confirm=_question,
    run=_end_all,
    order=90,
)
