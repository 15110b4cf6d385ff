"""What Celery and beat ask of ops."""

from __future__ import annotations

import uuid

import structlog
from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from apps.ops import operations
from apps.ops.models import Message
from dotmac.core.letters import LetterOver, filled

log = structlog.get_logger(__name__)

EVENTS_PER_DELIVERY_MAX = 100
SWEEP_MAX = 200


@shared_task(name="ops.sweep_outbox", time_limit=60)
def sweep_outbox(**_later: object) -> int:
    """Find subjects with due events and send a courier for each.

    The relay process does the same all the time; beat repeats it in case the
    relay is down.
    """
    return dispatch_due()


def dispatch_due(limit: int = SWEEP_MAX) -> int:
    """Lease due subjects and queue their deliveries; returns how many."""
    token = uuid.uuid4().hex
    keys = operations.claim_subjects(
        token=token,
        now=timezone.now(),
        lease_s=settings.OUTBOX_LEASE_S,
        limit=limit,
    )
    for key in keys:
        deliver_subject.delay(subject_key=key, token=token)
    return len(keys)


@shared_task(name="ops.deliver_subject", time_limit=120)
def deliver_subject(*, subject_key: str, token: str, **_later: object) -> int:
    """Deliver the subject's due events in order, at most a hundred of them."""
    delivered = 0
    try:
        while delivered < EVENTS_PER_DELIVERY_MAX:
            if (
                operations.deliver_next(subject_key=subject_key, now=timezone.now())
                is None
            ):
                break
            delivered += 1
    except Exception as error:  # noqa: BLE001 - the outer edge: log, retry later
        log.warning("event_failed", subject=subject_key, error=repr(error))
        operations.acknowledge_failure(
            subject_key=subject_key, error=repr(error), now=timezone.now()
        )
    finally:
        operations.release_subject(subject_key=subject_key, token=token)
    return delivered


@shared_task(name="ops.send_messages", time_limit=300)
def send_messages(**_later: object) -> int:
    """Send what is due, a bounded batch; a repeat is harmless."""
    claimed = operations.claim_messages(now=timezone.now())
    for message in claimed:
        operations.settle_message(
            message_id=message.pk, error=_send(message), now=timezone.now()
        )
    return len(claimed)


def _send(message: Message) -> str:
    """The error's text, empty when the server took the message."""
    try:
        body = filled(message.body, message.filled_by, now=timezone.now())
    except LetterOver as error:
        return str(error)
    mail = EmailMessage(
        subject=message.subject_line,
        body=body,
        to=[message.recipient],
        # The same id on a repeat lets the receiving side drop a duplicate.
        headers={"Message-ID": f"<{message.pk}.{message.unique_key}@dotmac>"},
    )
    try:
        mail.send()
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@shared_task(name="ops.check_integrity", time_limit=1800)
def check_integrity(**_later: object) -> int:
    """The nightly run; returns how many invariants are broken."""
    findings = operations.check_integrity(now=timezone.now())
    broken = [finding for finding in findings if finding.offending]
    for finding in broken:
        log.error(
            "invariant_broken", name=finding.invariant.name, rows=finding.offending
        )
    return len(broken)


@shared_task(name="ops.forget_old", time_limit=300)
def forget_old(**_later: object) -> int:
    """Delete idempotency keys that nobody can repeat any more."""
    return operations.forget_idempotency_keys(now=timezone.now())
