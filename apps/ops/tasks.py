"""What Celery and beat ask of ops."""

from __future__ import annotations

import uuid

import structlog
from celery import current_app, shared_task
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from apps.ops import operations
from apps.ops.models import Message
from dotmac.core.actors import system_actor
from dotmac.core.letters import LetterOver, filled

log = structlog.get_logger(__name__)

EVENTS_PER_DELIVERY_MAX = 100
COURIERS_WAITING_MAX = 400
SWEEP_MAX = 200
CHAIN_ROUNDS = 20


@shared_task(name="ops.sweep_outbox", time_limit=60)
def sweep_outbox(**_later: object) -> int:
    """Find subjects with due events and send a courier for each.

    The relay process does the same all the time; beat repeats it in case the
    relay is down.
    """
    return dispatch_due()


def dispatch_due(limit: int = SWEEP_MAX) -> int:
    """Settle what nobody listens to, lease due subjects, queue their deliveries.

    Returns how much was done. No more couriers wait in the broker than can be
    served before their leases lapse; what is urgent does not queue behind them.
    """
    now, token = timezone.now(), uuid.uuid4().hex
    settled = operations.acknowledge_unheard(now=now)
    room = COURIERS_WAITING_MAX - couriers_waiting()
    claimed = operations.claim_subjects(
        token=token,
        now=now,
        lease_s=settings.OUTBOX_LEASE_S,
        limit=limit if room <= 0 else min(limit, room),
        urgent_only=room <= 0,
    )
    for key, urgent in claimed.items():
        deliver_subject.apply_async(
            kwargs={"subject_key": key, "token": token},
            queue=(
                settings.URGENT_QUEUE if urgent else settings.CELERY_TASK_DEFAULT_QUEUE
            ),
        )
    return settled + len(claimed)


def couriers_waiting() -> int:
    """How many tasks the default queue of the broker holds."""
    with current_app.connection_or_acquire() as connection:
        declared = connection.default_channel.queue_declare(
            queue=settings.CELERY_TASK_DEFAULT_QUEUE
        )
        return int(declared.message_count)


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
    findings = operations.check_integrity(
        actor=system_actor("beat"), now=timezone.now()
    )
    broken = [finding for finding in findings if finding.offending]
    for finding in broken:
        log.error(
            "invariant_broken", name=finding.invariant.name, rows=finding.offending
        )
    return len(broken)


@shared_task(name="ops.chain_audit", time_limit=60)
def chain_audit(**_later: object) -> int:
    """Give new audit entries their places in the chain; count repeated refusals."""
    operations.settle_denials(now=timezone.now())
    return operations.chain_audit(rounds_max=CHAIN_ROUNDS)


@shared_task(name="ops.anchor_audit", time_limit=300)
def anchor_audit(**_later: object) -> int:
    """Sign the head of the audit chain into a file outside the database."""
    anchor = operations.anchor_audit(now=timezone.now())
    return anchor.number if anchor else 0


@shared_task(name="ops.verify_audit", time_limit=3600)
def verify_audit(**_later: object) -> int:
    """Compute the audit chain again and compare it with all anchors."""
    result = operations.verify_audit(now=timezone.now())
    for finding in result.findings:
        log.critical("audit_broken", kind=finding.kind, says=finding.says)
    return len(result.findings)


@shared_task(name="ops.forget_old", time_limit=300)
def forget_old(**_later: object) -> int:
    """Delete idempotency keys that nobody can repeat any more."""
    return operations.forget_idempotency_keys(now=timezone.now())
