"""Bytes of files, sealed piece by piece."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import IO

from apps.identity.models import (
    CustomerDocument,
    PersonalExport,
    StoredFile,
    StoredPiece,
)
from apps.identity.models.files import PIECE_BYTES
from apps.ops import operations as ops
from apps.ops.enums import JobState
from apps.ops.errors import JobEnded
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids
from dotmac.core.models import seal_for, seal_into

# Sealed and written together: about four megabytes.
_PIECES_AT_ONCE = 32


def store_file(
    *, name: str, media_type: str, content: IO[bytes], now: datetime
) -> StoredFile:
    """Keep what `content` gives. Part of an operation: each call keeps another file."""
    file = StoredFile(
        pk=next_ids(StoredFile)[0],
        name=name,
        media_type=media_type,
        size_bytes=0,
        created_at=now,
        updated_at=now,
    )
    digest = hashlib.sha256()
    # Pieces first: their key is checked at commit, and the file needs their sum.
    for pieces, size_bytes in _batches(file, content, digest):
        StoredPiece.objects.bulk_create(pieces)
        file.size_bytes += size_bytes
    seal_into(file, "digest", digest.hexdigest())
    file.save(force_insert=True)
    return file


def _batches(
    file: StoredFile, content: IO[bytes], digest: hashlib._Hash
) -> Iterator[tuple[list[StoredPiece], int]]:
    """Sealed pieces, some at once, and how many bytes they hold."""
    number = 0
    while clear := content.read(PIECE_BYTES * _PIECES_AT_ONCE):
        digest.update(clear)
        parts = [
            clear[at : at + PIECE_BYTES] for at in range(0, len(clear), PIECE_BYTES)
        ]
        keys = next_ids(StoredPiece, len(parts))
        yield [
            StoredPiece(
                pk=key,
                file=file,
                number=number + place,
                sealed=seal_for(StoredPiece, "sealed", key, b64encode(part).decode()),
            )
            for place, (key, part) in enumerate(zip(keys, parts, strict=True))
        ], len(clear)
        number += len(parts)


def forget_papers_of(customer_id: int) -> int:
    """Delete a customer's documents with their bytes. Part of an operation.

    Returns how many there were.
    """
    mine = CustomerDocument.objects.filter(customer_id=customer_id)
    files = list(mine.values_list("file_id", flat=True))
    mine.delete()
    forget_files(files)
    return len(files)


def forget_copies_of(customer_id: int, actor: Actor, now: datetime) -> None:
    """Copies that wait are not made any more; those that were made go.

    Part of an operation that makes them untrue. The copy is locked before its job,
    as its worker does; a worker that reads meanwhile finds that it is done with.
    """
    mine = PersonalExport.objects.filter(customer_id=customer_id)
    held = list(mine.select_for_update(no_key=True).order_by("pk"))
    for export in held:
        if export.done_at is None:
            # It may end in this very moment.
            with suppress(JobEnded):
                ops.cancel_job(job_id=export.job_id, actor=actor, now=now)
                ops.finish_job(job_id=export.job_id, state=JobState.CANCELLED, now=now)
    mine.filter(done_at=None).update(done_at=now)
    forget_files([row.file_id for row in held if row.file_id is not None])


def forget_files(file_ids: list[int]) -> None:
    """Delete files with their pieces. Part of an operation that let go of them."""
    StoredFile.objects.filter(pk__in=file_ids).delete()
