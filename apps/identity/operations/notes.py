"""What staff write down about customers."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity.errors import CustomerErased
from apps.identity.models import CustomerNote, NoteRevision
from apps.identity.models.history import NOTE_CHARACTERS_MAX
from apps.identity.models.signed import signed_by
from apps.identity.operations.customers import locked_or_missing
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

NOTES_MAX = 5_000
PINNED_MAX = 5


@transaction.atomic
def write_note(
    *, customer_id: int, text: str, pinned: bool = False, actor: Actor, now: datetime
) -> CustomerNote:
    """A new note; closed customers take them too.

    Refused: an erased customer, an empty or too long text, more than PINNED_MAX
    pinned at once.
    """
    if locked_or_missing(customer_id).erased_at is not None:
        raise CustomerErased
    said = _text(text)
    if CustomerNote.objects.filter(customer_id=customer_id).count() >= NOTES_MAX:
        raise InvalidInput(f"At most {NOTES_MAX} notes.", field="text")
    if pinned:
        _require_room_on_top(customer_id)

    note = CustomerNote.objects.create(
        customer_id=customer_id, at=now, text=said, pinned=pinned, **signed_by(actor)
    )
    _record("write_note", note, actor, now)
    return note


@transaction.atomic
def edit_note(
    *,
    note_id: int,
    text: str | None = None,
    pinned: bool | None = None,
    actor: Actor,
    now: datetime,
) -> CustomerNote:
    """Say it better, or pin it; what it said before is kept. Equal changes nothing."""
    note = _locked(note_id)
    said = note.text if text is None else _text(text)
    stays_on_top = note.pinned if pinned is None else pinned
    if (said, stays_on_top) == (note.text, note.pinned):
        return note
    if stays_on_top and not note.pinned:
        _require_room_on_top(note.customer_id)

    if said != note.text:
        NoteRevision.objects.create(
            note=note, at=now, text=note.text, **signed_by(actor)
        )
        note.text, note.edited_at = said, now
    note.pinned = stays_on_top
    note.store("text", "edited_at", "pinned", now=now)
    _record("edit_note", note, actor, now)
    return note


@transaction.atomic
def remove_note(*, note_id: int, actor: Actor, now: datetime) -> None:
    """Take a note away with its earlier texts. One that is gone changes nothing."""
    try:
        note = _locked(note_id)
    except NotFound:
        return
    _record("remove_note", note, actor, now)
    note.delete()


def _locked(note_id: int) -> CustomerNote:
    """The customer's row is the first lock; notes of one come one after another."""
    known = CustomerNote.objects.filter(pk=note_id).values("customer_id").first()
    if known is None:
        raise NotFound
    locked_or_missing(known["customer_id"])
    note = CustomerNote.objects.filter(pk=note_id).first()
    if note is None:
        raise NotFound
    return note


def _text(text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise InvalidInput("Write something.", field="text")
    if len(said) > NOTE_CHARACTERS_MAX:
        raise InvalidInput(f"At most {NOTE_CHARACTERS_MAX} characters.", field="text")
    return said


def _require_room_on_top(customer_id: int) -> None:
    pinned = CustomerNote.objects.filter(customer_id=customer_id, pinned=True)
    if pinned.count() >= PINNED_MAX:
        raise InvalidInput(f"At most {PINNED_MAX} notes are pinned.", field="pinned")


def _record(verb: str, note: CustomerNote, actor: Actor, now: datetime) -> None:
    """That there is a note, never what it says: the audit cannot forget."""
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "note", note.pk),
        actor=actor,
        now=now,
        changes={"pinned": note.pinned},
        customer_id=note.customer_id,
    )
