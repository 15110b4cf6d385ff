"""Devices and lines that are let in without a password (IPoE)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.network.enums import HandleKind
from apps.network.errors import HandleTaken
from apps.network.events import HandleAdded, HandleRemoved
from apps.network.models import AccessAccount, AccessHandle
from apps.network.operations.checks import checked, one_of, open_account
from apps.network.rules.credentials import (
    MalformedText,
    canonical_line,
    canonical_mac,
)
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput

HANDLES_MAX = 16


@transaction.atomic
def add_handle(
    *, account_id: int, kind: str, value: str, actor: Actor, now: datetime
) -> AccessHandle:
    """Let a device (mac) or a line (circuit_id, remote_id) in as this account.

    It counts from the next request on, on NASes with `ipoe` alone; what holds the
    account holds it as well. Adding the same again changes nothing. Refused when the
    value is malformed, the account closed, and with `handle_taken` when another
    account has it.
    """
    one_of("kind", kind, HandleKind.values)
    rule = _mac if kind == HandleKind.MAC else canonical_line
    wanted = checked("value", rule, value)
    account = open_account(account_id)
    known = AccessHandle.objects.filter(kind=kind, value=wanted).first()
    if known is not None and known.account_id == account.pk:
        return known
    if known is not None:
        raise HandleTaken(field="value")
    if AccessHandle.objects.filter(account=account).count() >= HANDLES_MAX:
        raise InvalidInput(f"An account has {HANDLES_MAX} at most.", field="value")

    with refusing(network_accesshandle_taken=lambda: HandleTaken(field="value")):
        handle = AccessHandle.objects.create(account=account, kind=kind, value=wanted)
    ops.emit(
        HandleAdded(
            occurred_at=now, account_id=account.pk, login=account.login,
            handle_kind=kind,
        ),
        actor=actor,
        changes={"kind": kind},
    )  # fmt: skip
    return handle


@transaction.atomic
def remove_handle(
    *, account_id: int, handle_id: int, actor: Actor, now: datetime
) -> None:
    """Let the device or line in no longer; running sessions stay.

    Removing what is gone changes nothing.
    """
    account = AccessAccount.objects.locked().get(pk=account_id)
    handle = AccessHandle.objects.filter(account=account, pk=handle_id).first()
    if handle is None:
        return
    handle.delete()
    ops.emit(
        HandleRemoved(
            occurred_at=now, account_id=account.pk, login=account.login,
            handle_kind=handle.kind,
        ),
        actor=actor,
        changes={"kind": handle.kind},
    )  # fmt: skip


def _mac(text: str) -> str:
    if not text.strip():
        raise MalformedText("A MAC address has twelve hexadecimal digits.")
    return canonical_mac(text)
