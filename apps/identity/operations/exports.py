"""Copies of all that is held about a customer: asked for, made, opened, forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.identity.enums import UserKind
from apps.identity.errors import CustomerErased, ExportGone, ExportNotReady
from apps.identity.models import PersonalExport, User
from apps.identity.models.personal import EXPORT_LASTS
from apps.identity.models.signed import signed_by
from apps.identity.operations.archives import ArchiveTooLarge, write_archive
from apps.identity.operations.customers import locked_or_missing, subject_of
from apps.identity.operations.files import forget_files, store_file
from apps.identity.operations.notices import notify
from apps.identity.selectors.files import file_pieces
from apps.ops import operations as ops
from apps.ops.enums import JobState
from apps.ops.errors import JobEnded
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound
from dotmac.core.refs import SubjectRef

log = structlog.get_logger(__name__)

KIND = "identity.personal_export"
CLAIM_LASTS = timedelta(minutes=15)
ATTEMPTS_MAX = 3
FORGET_BATCH = 200
# Larger copies are written to an unlinked file until they are sealed.
_MEMORY_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class OpenedExport:
    """A copy on its way out; the pieces are unsealed as they are sent."""

    name: str
    media_type: str
    size_bytes: int
    pieces: Iterator[bytes]


@transaction.atomic
def request_export(*, customer_id: int, actor: Actor, now: datetime) -> PersonalExport:
    """Ask for a copy; while one is being made, that one is the answer.

    Refused for an erased customer, of whom nothing is left to tell.
    """
    customer = locked_or_missing(customer_id)
    if customer.erased_at is not None:
        raise CustomerErased
    waiting = PersonalExport.objects.filter(customer_id=customer_id, done_at=None)
    if (open_one := waiting.first()) is not None:
        return open_one

    job = ops.start_job(
        kind=KIND,
        subject=subject_of(customer),
        actor=actor,
        now=now,
        customer_id=customer_id,
    )
    export = PersonalExport.objects.create(
        customer=customer, job=job, requested_at=now, **signed_by(actor)
    )
    _record("request_export", export, actor, now)
    return export


def make_next_export(*, now: datetime) -> int | None:
    """Make the oldest copy that waits; returns its key, or None when none waits.

    A worker that dies leaves its copy to the next one after CLAIM_LASTS; after
    ATTEMPTS_MAX tries the job has failed.
    """
    export = _claim(now)
    if export is None:
        return None
    with SpooledTemporaryFile(max_size=_MEMORY_BYTES) as archive:
        try:
            with transaction.atomic():
                tables = write_archive(archive, customer=export.customer, now=now)
        except ArchiveTooLarge as error:
            _fail(export.pk, str(error), now)
            return export.pk
        archive.seek(0)
        _finish(export.pk, archive, tables, now)
    return export.pk


@transaction.atomic
def open_export(*, export_id: int, actor: Actor, now: datetime) -> OpenedExport:
    """The copy's pieces, and a line in the audit that says who had them.

    Refused while it is being made, when it failed, and when its week is over.
    """
    rows = PersonalExport.objects.select_related("file", "job")
    export = rows.filter(pk=export_id).first()
    if export is None:
        raise NotFound
    if export.done_at is None:
        raise ExportNotReady
    file = export.file
    if file is None or export.expires_at is None or export.expires_at <= now:
        raise ExportGone
    _record("open_export", export, actor, now)
    return OpenedExport(file.name, file.media_type, file.size_bytes, file_pieces(file))


@transaction.atomic
def forget_exports(*, now: datetime) -> int:
    """Delete the bytes of copies whose week is over, a bounded batch."""
    old = PersonalExport.objects.filter(expires_at__lte=now, file__isnull=False)
    found = old.order_by("pk").values_list("file_id", flat=True)
    files = list(found[:FORGET_BATCH])
    forget_files(files)
    return len(files)


@transaction.atomic
def _claim(now: datetime) -> PersonalExport | None:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
    rows = PersonalExport.objects.select_for_update(
        of=("self",), no_key=True, skip_locked=True
    )
    export = rows.filter(free, done_at=None).order_by("pk").first()
    if export is None:
        return None
    export.claimed_at, export.attempts = now, export.attempts + 1
    export.save(update_fields=["claimed_at", "attempts"])
    if _call_off(export, now):
        return None
    if export.attempts > ATTEMPTS_MAX:
        _end(export, now)
        _fail_job(export, "The workers that made it were stopped.", now)
        return None
    try:
        ops.advance_job(job_id=export.job_id, now=now, done=0)
    except JobEnded:  # cancelled between the two locks
        _end(export, now)
        return None
    return export


def _call_off(export: PersonalExport, now: datetime) -> bool:
    """Whether nobody waits for it any more; then it and its job are ended.

    Somebody cancelled the job, or the customer was erased or taken apart meanwhile.
    """
    job = export.job
    wanted = export.done_at is None and job.cancel_requested_at is None
    if wanted and not job.is_over:
        return False
    _end(export, now)
    if not job.is_over:
        ops.finish_job(job_id=job.pk, state=JobState.CANCELLED, now=now)
    return True


@transaction.atomic
def _finish(
    export_id: int, archive: SpooledTemporaryFile[bytes], tables: int, now: datetime
) -> None:
    export = _held(export_id)
    if _call_off(export, now):
        return
    file = store_file(
        name=f"{export.customer.reference}-{now:%Y-%m-%d}.zip",
        media_type="application/zip",
        content=archive,
        now=now,
    )
    export.file, export.done_at, export.expires_at = file, now, now + EXPORT_LASTS
    export.save(update_fields=["file", "done_at", "expires_at"])
    ops.finish_job(
        job_id=export.job_id,
        state=JobState.SUCCEEDED,
        now=now,
        result={"tables": tables, "bytes": file.size_bytes},
    )
    _tell_customer(export, now)


def _tell_customer(export: PersonalExport, now: datetime) -> None:
    """A person who asked hears of it: also when somebody else asked in that name."""
    asked_by = User.objects.filter(pk=export.actor_id or 0, kind=UserKind.CUSTOMER)
    for user in asked_by:
        notify(
            user,
            subject=_("Your data is ready"),
            body=_("A copy of all that we hold is in the portal for a week."),
            key=f"copy-{export.pk}",
            now=now,
        )


@transaction.atomic
def _fail(export_id: int, why: str, now: datetime) -> None:
    export = _held(export_id)
    if _call_off(export, now):
        return
    _end(export, now)
    _fail_job(export, why, now)


def _fail_job(export: PersonalExport, why: str, now: datetime) -> None:
    log.error("personal_export_failed", export=export.pk, why=why)
    ops.finish_job(job_id=export.job_id, state=JobState.FAILED, now=now, error=why)


def _end(export: PersonalExport, now: datetime) -> None:
    if export.done_at is None:
        export.done_at = now
        export.save(update_fields=["done_at"])


def _held(export_id: int) -> PersonalExport:
    rows = PersonalExport.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("customer", "job").get(pk=export_id)


def _record(verb: str, export: PersonalExport, actor: Actor, now: datetime) -> None:
    ops.record(
        action=f"identity.{verb}",
        subject=SubjectRef("identity", "personal_export", export.pk, str(export)),
        actor=actor,
        now=now,
        customer_id=export.customer_id,
    )
