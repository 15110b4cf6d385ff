"""The chain over the audit entries: giving them their places, anchoring the head."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.ops.enums import AuditCheckKind
from apps.ops.gateways.anchors import read_anchors, read_keys, write_anchor
from apps.ops.models import AuditCheck, AuditLink
from apps.ops.rules.anchors import Anchor, sealed_anchor

log = structlog.get_logger(__name__)

CHAIN_BATCH_MAX = 2_000
CHAIN_ROUNDS_MAX = 500


def chain_audit(*, rounds_max: int = CHAIN_ROUNDS_MAX) -> int:
    """Give the entries that are committed by now their places; returns how many.

    In batches, a transaction each; whoever else is at it goes on alone. Not
    inside the caller's transaction: what it wrote is not committed yet.
    """
    chained = 0
    for _ in range(rounds_max):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT ops_chain_audit(%s)", [CHAIN_BATCH_MAX])
            done = cursor.fetchone()[0]
        chained += max(done, 0)
        if done < CHAIN_BATCH_MAX:
            break
    return chained


def anchor_audit(*, now: datetime) -> Anchor | None:
    """Sign the head of the chain into a file outside the database, and the log.

    None when nothing was chained yet. The same head twice is one anchor.
    """
    chain_audit()
    head = AuditLink.objects.order_by("-stream", "-sequence").first()
    if head is None:
        return None
    keys = read_keys(settings.AUDIT_KEY_PATH)
    folder = settings.AUDIT_ANCHOR_DIR
    files = read_anchors(folder, keys)
    known = [file.anchor for file in files if file.anchor is not None]
    latest = max(known, key=lambda anchor: anchor.number, default=None)
    place = (head.stream, head.sequence, bytes(head.hash).hex())
    if latest and (latest.stream, latest.sequence, latest.hash) == place:
        return latest
    anchor = Anchor(
        number=max(
            (int(f.path.stem) for f in files if f.path.stem.isdigit()), default=0
        )
        + 1,
        anchored_at=now,
        stream=place[0],
        sequence=place[1],
        entry_id=head.pk,
        hash=place[2],
        previous=latest.digest if latest else "",
    )
    path = write_anchor(folder, anchor, keys)
    AuditCheck.objects.create(
        kind=AuditCheckKind.ANCHORED,
        checked_at=now,
        stream=anchor.stream,
        sequence=anchor.sequence,
        good=True,
    )
    # A log that is shipped elsewhere is a second place where the anchor lies.
    log.info("audit_anchor", path=str(path), anchor=sealed_anchor(anchor, keys.signing))
    return anchor
