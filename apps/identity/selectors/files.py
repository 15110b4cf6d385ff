"""Reading stored files back, and the papers of customers."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Iterator

from django.db.models import QuerySet

from apps.identity.errors import FileBroken
from apps.identity.models import CustomerDocument, StoredFile, StoredPiece
from apps.identity.selectors.customers import of_visible_customers
from dotmac.core.actors import Actor
from dotmac.core.crypto import SealBroken
from dotmac.core.models import open_sealed

# Fetched together: about four megabytes.
_PIECES_AT_ONCE = 32


def file_pieces(file: StoredFile) -> Iterator[bytes]:
    """The file's bytes, piece by piece, in a bounded number at once.

    Raises FileBroken where a piece is missing, from elsewhere or changed; the
    last check comes behind the last piece.
    """
    digest, size, number = hashlib.sha256(), 0, 0
    while size < file.size_bytes:
        rows = StoredPiece.objects.filter(file=file, number__gte=number)
        pieces = list(rows.order_by("number")[:_PIECES_AT_ONCE])
        if not pieces:
            raise FileBroken
        for piece in pieces:
            clear = _opened(piece)
            digest.update(clear)
            size += len(clear)
            yield clear
        number = pieces[-1].number + 1
    if not hmac.compare_digest(digest.hexdigest(), _said(file)):
        raise FileBroken


def file_content(file: StoredFile) -> bytes:
    """All of a small file, checked before a byte of it is given out."""
    return b"".join(file_pieces(file))


def documents_of(customer_id: int) -> QuerySet[CustomerDocument]:
    """The papers of one customer, the newest first."""
    rows = CustomerDocument.objects.filter(customer_id=customer_id)
    return rows.select_related("file").order_by("-pk")


def documents_visible_to(actor: Actor, permission: str) -> QuerySet[CustomerDocument]:
    """The papers within reach; a customer sees those meant for its eyes."""
    rows = CustomerDocument.objects.select_related("customer", "file")
    if actor.is_customer:
        rows = rows.filter(in_portal=True)
    return of_visible_customers(rows, actor, permission)


def _opened(piece: StoredPiece) -> bytes:
    try:
        return b64decode(open_sealed(piece, "sealed"))
    except SealBroken as error:
        raise FileBroken from error


def _said(file: StoredFile) -> str:
    try:
        return open_sealed(file, "digest")
    except SealBroken as error:
        raise FileBroken from error
