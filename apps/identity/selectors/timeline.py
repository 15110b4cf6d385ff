"""The customer's history: what identity tells of it, and the page of it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity.enums import CustomerState
from apps.identity.models import (
    Customer,
    CustomerChange,
    CustomerDocument,
    CustomerNote,
    CustomerTurn,
    PortalLook,
)
from apps.identity.rules.giving import covers_customer
from apps.identity.selectors.duplicates import merges_of
from dotmac.core.actors import Actor
from dotmac.core.participants import timeline_of
from dotmac.core.refs import SubjectRef
from dotmac.core.timeline import Place, TimelineEntry, TimelineSource, Window

_TURNS: Mapping[str, tuple[Any, str]] = {
    CustomerState.PROSPECT: (gettext_lazy("Prospect"), "user-check"),
    CustomerState.ACTIVE: (gettext_lazy("Became a customer"), "user-check"),
    CustomerState.DORMANT: (gettext_lazy("Dormant: the last service ended"), "moon"),
    CustomerState.CLOSED: (gettext_lazy("Closed"), "user-off"),
}
_NOTHING = "\u2013"
_REOPENED: tuple[Any, str] = (gettext_lazy("Reopened"), "user-plus")


def customer_timeline(
    customer: Customer,
    *,
    actor: Actor,
    limit: int,
    before: Place | None = None,
    app: str = "",
) -> tuple[list[TimelineEntry], bool]:
    """A page of what the actor may know of the customer, and whether more follows."""
    subject = SubjectRef("identity", "customer", customer.pk, customer.reference)

    def readable(permission: str) -> bool:
        return covers_customer(actor.scope(permission), customer.pk, customer.unit_id)

    return timeline_of(subject, limit=limit, before=before, readable=readable, app=app)


def _registered(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = Customer.objects.filter(pk=customer_id)
    return [
        TimelineEntry(
            at=row.created_at, id=row.pk, title=_("Registered"), icon="user-plus"
        )
        for row in window.rows(rows, at="created_at")
    ]


def _turns(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = CustomerTurn.objects.filter(customer_id=customer_id)
    entries = []
    for turn in window.rows(rows, at="at"):
        back = turn.from_state == CustomerState.CLOSED
        title, icon = _REOPENED if back else _TURNS[turn.to_state]
        entries.append(
            TimelineEntry(
                at=turn.at,
                id=turn.pk,
                title=str(title),
                detail=turn.reason,
                icon=icon,
                by=turn.actor_label,
            )
        )
    return entries


def _changes(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = CustomerChange.objects.filter(customer_id=customer_id)
    return [
        TimelineEntry(
            at=change.at,
            id=change.pk,
            title=_("Changed: %s") % change.field.replace("_", " "),
            detail=f"{change.before or _NOTHING} → {change.after or _NOTHING}",
            icon="edit",
            by=change.actor_label,
        )
        for change in window.rows(rows, at="at")
    ]


def _notes(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = CustomerNote.objects.filter(customer_id=customer_id)
    return [note_entry(note) for note in window.rows(rows, at="at")]


def note_entry(note: CustomerNote) -> TimelineEntry:
    """A note as a line of history."""
    return TimelineEntry(
        at=note.at,
        id=note.pk,
        title=_("Note, edited") if note.edited_at else _("Note"),
        detail=note.text,
        icon="bookmark" if note.pinned else "note",
        by=note.actor_label,
        url=f"/console/notes/{note.pk}",
    )


def _documents(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = CustomerDocument.objects.filter(customer_id=customer_id)
    return [
        TimelineEntry(
            at=document.at,
            id=document.pk,
            title=_("Document: %s") % document.get_kind_display(),
            icon="file-text",
            by=document.actor_label,
            url=f"/console/documents/{document.pk}",
        )
        for document in window.rows(rows, at="at")
    ]


def _merges(customer_id: int, window: Window) -> list[TimelineEntry]:
    """That it happened is for all who read the history; the record leads further,
    and is listed among the people for those who may open it."""
    entries = []
    for merge in window.rows(merges_of(customer_id), at="at"):
        survives = merge.survivor_id == customer_id
        title = (
            _("%s was merged into this customer") if survives else _("Merged into %s")
        )
        other = merge.duplicate if survives else merge.survivor
        entries.append(
            TimelineEntry(
                at=merge.at,
                id=merge.pk,
                title=title % other.reference,
                detail=merge.reason,
                icon="copy",
                by=merge.actor_label,
            )
        )
    return entries


def _unmerges(customer_id: int, window: Window) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=merge.undone_at,
            id=merge.pk,
            title=_("A merge was undone"),
            detail=str(merge.duplicate.reference),
            icon="arrow-back-up",
            by=merge.undone_by,
        )
        for merge in window.rows(merges_of(customer_id), at="undone_at")
    ]


def _looks(customer_id: int, window: Window) -> list[TimelineEntry]:
    rows = PortalLook.objects.filter(customer_id=customer_id)
    return [
        TimelineEntry(
            at=look.started_at,
            id=look.pk,
            title=_("Portal looked at by staff"),
            detail=look.reason,
            icon="eye",
            by=look.actor_label,
        )
        for look in window.rows(rows, at="started_at")
    ]


TIMELINE = tuple(
    TimelineSource(name=f"identity.{kind}", permission=permission, entries=entries)
    for kind, permission, entries in (
        ("registered", "identity.view_timeline", _registered),
        ("turn", "identity.view_timeline", _turns),
        ("change", "identity.view_timeline", _changes),
        ("note", "identity.view_timeline", _notes),
        ("document", "identity.view_document", _documents),
        ("look", "identity.view_timeline", _looks),
        ("merge", "identity.view_timeline", _merges),
        ("unmerge", "identity.view_timeline", _unmerges),
    )
)
