"""Forgetting who was behind an access account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.network.enums import CoaState
from apps.network.models import (
    AccessAccount,
    AccessAttempt,
    AccessHandle,
    AccessHold,
    AccountImportRow,
    CoaRequest,
    SessionHistory,
    SessionLive,
)
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.models import seal_into
from dotmac.core.refs import SubjectRef

ERASED = "erased"


@transaction.atomic
def forget_accounts(*, account_ids: Sequence[int], actor: Actor, now: datetime) -> int:
    """Take login, password and devices out of closed accounts and their sessions.

    Addresses, times and octets stay under the account's number, as whoever runs a
    network has to keep them. An open account is left alone: whoever asks sees to
    it that there is none. Repeating it changes nothing. Returns how many changed.
    """
    rows = AccessAccount.objects.locked().filter(
        pk__in=account_ids, closed_at__isnull=False
    )
    found = [row for row in rows if row.login != _login(row.pk)]
    for account in found:
        account.login, account.mac_lock = _login(account.pk), ""
        # It opens nothing; what was in it was somebody's own choice.
        seal_into(account, "secret", ERASED)
        account.store("login", "mac_lock", "secret", now=now)
        mine = {"account_id": account.pk}
        told = {"login": account.login, "mac": ""}
        # The line and the place where somebody dialled in say where he lives.
        placed = {"nas_port": "", "circuit": "", "called": ""}
        SessionLive.objects.filter(**mine).update(**told, **placed)
        SessionHistory.objects.filter(**mine).update(**told, **placed)
        AccessAttempt.objects.filter(**mine).update(**told)
        AccessHold.objects.filter(**mine).update(note="")
        AccessHandle.objects.filter(**mine).delete()
        # What its old server said of it names devices and addresses.
        AccountImportRow.objects.filter(**mine).update(
            login=account.login, place="", reason="", differences=[]
        )
        _forget_requests(account.pk, told["login"])
        ops.record(
            action="network.forget_account",
            subject=SubjectRef("network", "account", account.pk, account.login),
            actor=actor,
            now=now,
        )
    return len(found)


def _forget_requests(account_id: int, login: str) -> None:
    """What NASes were asked stays, without who it was about.

    One that still waits has to end its session: it keeps the NAS's number of the
    session, which the session has as well, and goes out without a name.
    """
    rows = CoaRequest.objects.filter(account_id=account_id)
    waiting = (CoaState.QUEUED, CoaState.SENDING)
    rows.filter(state__in=waiting).update(login="")
    rows.exclude(state__in=waiting).update(login=login, acct_session_id="")


def _login(account_id: int) -> str:
    return f"{ERASED}-{account_id}"
