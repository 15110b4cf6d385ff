"""Papers of customers: added, described, opened, removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import IO

from django.db import transaction

from apps.identity.enums import DocumentKind
from apps.identity.errors import (
    DocumentEmpty,
    DocumentTooLarge,
    DocumentTypeRefused,
)
from apps.identity.models import CustomerDocument
from apps.identity.models.signed import signed_by
from apps.identity.operations.customers import locked_and_open
from apps.identity.operations.files import forget_files, store_file
from apps.identity.rules.documents import Format, file_name, format_of
from apps.identity.selectors.files import file_content
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

DOCUMENT_BYTES_MAX = 5_000_000
DOCUMENTS_MAX = 50


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """What a face sends: a harmless name, a type we found out, the bytes."""

    name: str
    media_type: str
    content: bytes


@transaction.atomic
def add_document(
    *,
    customer_id: int,
    kind: str,
    name: str,
    content: IO[bytes],
    in_portal: bool = False,
    actor: Actor,
    now: datetime,
) -> CustomerDocument:
    """Keep a paper of an open customer; what a customer adds, it sees.

    Refused: a closed customer, an empty or too large file (DOCUMENT_BYTES_MAX),
    one whose bytes are of no allowed format, more than DOCUMENTS_MAX papers.
    Each call keeps another paper; the edge's Idempotency-Key makes repeats safe.
    """
    customer = locked_and_open(customer_id)
    _require_kind(kind)
    held, found = _judged(content)
    mine = CustomerDocument.objects.filter(customer_id=customer_id)
    if mine.count() >= DOCUMENTS_MAX:
        raise InvalidInput(f"At most {DOCUMENTS_MAX} documents.", field="file")

    file = store_file(
        name=file_name(name, found),
        media_type=found.media_type,
        content=BytesIO(held),
        now=now,
    )
    document = CustomerDocument.objects.create(
        customer=customer,
        file=file,
        kind=kind,
        in_portal=in_portal or actor.is_customer,
        at=now,
        created_at=now,
        updated_at=now,
        **signed_by(actor),
    )
    _record("add_document", document, actor, now, kind=kind)
    return document


@transaction.atomic
def change_document(
    *,
    document_id: int,
    kind: str | None = None,
    in_portal: bool | None = None,
    actor: Actor,
    now: datetime,
) -> CustomerDocument:
    """Say what it is, or let the customer see it; equal values change nothing."""
    document = _held(document_id)
    wanted = {
        "kind": document.kind if kind is None else kind,
        "in_portal": document.in_portal if in_portal is None else in_portal,
    }
    _require_kind(str(wanted["kind"]))
    changed = [
        name for name, value in wanted.items() if value != getattr(document, name)
    ]
    if not changed:
        return document

    for name in changed:
        setattr(document, name, wanted[name])
    document.store(*changed, now=now)
    _record("change_document", document, actor, now, fields=sorted(changed))
    return document


@transaction.atomic
def open_document(*, document_id: int, actor: Actor, now: datetime) -> OpenedDocument:
    """The bytes, and a line in the audit that says who had them.

    Raises FileBroken when they are not what was stored.
    """
    document = _held(document_id)
    content = file_content(document.file)
    _record("open_document", document, actor, now)
    return OpenedDocument(document.file.name, document.file.media_type, content)


@transaction.atomic
def remove_document(*, document_id: int, actor: Actor, now: datetime) -> None:
    """Delete the paper and its bytes; that it was there stays in the audit."""
    document = _held(document_id)
    _record("remove_document", document, actor, now, kind=document.kind)
    file_id = document.file_id
    document.delete()
    forget_files([file_id])


def _judged(content: IO[bytes]) -> tuple[bytes, Format]:
    held = content.read(DOCUMENT_BYTES_MAX + 1)
    if not held:
        raise DocumentEmpty(field="file")
    if len(held) > DOCUMENT_BYTES_MAX:
        limit = f"At most {DOCUMENT_BYTES_MAX // 1_000_000} MB."
        raise DocumentTooLarge(f"{DocumentTooLarge.title} {limit}", field="file")
    found = format_of(held)
    if found is None:
        raise DocumentTypeRefused(field="file")
    return held, found


def _require_kind(kind: str) -> None:
    if kind not in DocumentKind.values:
        raise InvalidInput("There is no such kind of document.", field="kind")


def _held(document_id: int) -> CustomerDocument:
    rows = CustomerDocument.objects.select_related("file")
    document = (
        rows.select_for_update(of=("self",), no_key=True).filter(pk=document_id).first()
    )
    if document is None:
        raise NotFound
    return document


def _record(
    verb: str, document: CustomerDocument, actor: Actor, now: datetime, **facts: object
) -> None:
    """The file's name is the customer's own; the audit names the kind alone."""
    label = document.get_kind_display()
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "document", document.pk, str(label)),
        actor=actor,
        now=now,
        changes=facts,
        customer_id=document.customer_id,
    )
