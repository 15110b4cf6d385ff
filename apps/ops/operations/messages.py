"""Texts to people: a row first, the wire later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from apps.ops.enums import Channel, MessageState
from apps.ops.errors import MessageNotFailed
from apps.ops.models import Message
from apps.ops.operations.audit import record
from dotmac.core.actors import Actor
from dotmac.core.participants import unit_of_customer
from dotmac.core.refs import SubjectRef

ATTEMPTS_MAX = 8
CLAIM_MAX = 50
LEASE = timedelta(minutes=2)
# Whom a text was to, once that person was erased.
_FORGOTTEN = "erased"


def send_message(
    *,
    to: str,
    subject: str,
    body: str,
    purpose: str,
    unique_key: str,
    now: datetime,
    channel: str = Channel.EMAIL,
    customer_id: int | None = None,
    filled_by: str = "",
) -> Message:
    """Queue a text once per `unique_key`; a repeat returns the first row.

    `filled_by` names the row ("identity.link:17") whose secret is put for
    dotmac.core.letters.MARK when the text is sent.
    """
    message, _ = Message.objects.get_or_create(
        unique_key=unique_key,
        defaults={
            "channel": channel,
            "recipient": to,
            "subject_line": subject.replace("\n", " ")[:200],
            "body": body,
            "purpose": purpose,
            "filled_by": filled_by,
            "available_at": now,
            "customer_id": customer_id,
            "unit_id": unit_of_customer(customer_id),
        },
    )
    return message


@transaction.atomic
def claim_messages(*, now: datetime, limit: int = CLAIM_MAX) -> list[Message]:
    """Take messages to send. A claim that is not settled in two minutes lapses."""
    rows = list(
        Message.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(state__in=(MessageState.QUEUED, MessageState.SENDING))
        .filter(available_at__lte=now)
        .order_by("available_at", "pk")[: min(limit, CLAIM_MAX)]
    )
    for message in rows:
        message.state, message.available_at = MessageState.SENDING, now + LEASE
        message.attempts += 1
        message.store("state", "available_at", "attempts", now=now)
    return rows


@transaction.atomic
def settle_message(*, message_id: int, now: datetime, error: str = "") -> Message:
    """Say what the wire answered. A failure is tried again, later each time."""
    message = Message.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.state != MessageState.SENDING:
        return message
    if not error:
        message.state, message.sent_at, message.error = MessageState.SENT, now, ""
    elif message.attempts >= ATTEMPTS_MAX:
        message.state, message.error = MessageState.FAILED, error[:500]
    else:
        message.state, message.error = MessageState.QUEUED, error[:500]
        message.available_at = now + timedelta(seconds=15 * 2**message.attempts)
    message.store("state", "sent_at", "error", "available_at", now=now)
    return message


@transaction.atomic
def resend_message(*, message_id: int, actor: Actor, now: datetime) -> Message:
    """Queue a failed message again; refused in any other state but queued."""
    message = Message.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.state == MessageState.QUEUED:
        return message
    if message.state != MessageState.FAILED or message.recipient == _FORGOTTEN:
        raise MessageNotFailed

    message.state, message.attempts, message.available_at = MessageState.QUEUED, 0, now
    message.store("state", "attempts", "available_at", now=now)
    record(
        action="ops.message.resent",
        subject=SubjectRef("ops", "message", message.pk, str(message)),
        actor=actor,
        now=now,
        customer_id=message.customer_id,
        unit_id=message.unit_id,
    )
    return message


@transaction.atomic
def forget_messages(
    *,
    now: datetime,
    customer_id: int | None = None,
    recipients: Sequence[str] = (),
) -> int:
    """Take the person out of texts to a customer, and of those to nobody known.

    An address may be shared: what went there for another customer is that one's
    and stays. `recipients` therefore finds only texts that name no customer.

    What still waits is never sent. That something was sent, when and for which
    purpose stays. Repeating it changes nothing. Returns how many rows changed.
    """
    spellings = {address.lower() for address in recipients}
    theirs = Q(customer_id=None, lowered__in=sorted(spellings))
    if customer_id is not None:
        theirs |= Q(customer_id=customer_id)
    rows = Message.objects.annotate(lowered=Lower("recipient")).filter(theirs)
    waiting = rows.exclude(state=MessageState.SENT)
    waiting.update(state=MessageState.FAILED, error=_FORGOTTEN)
    return rows.exclude(recipient=_FORGOTTEN).update(
        recipient=_FORGOTTEN, subject_line="", body="", filled_by="", updated_at=now
    )
