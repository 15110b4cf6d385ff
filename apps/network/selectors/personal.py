"""What the network holds about the people behind access accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.network.models import (
    AccessAccount,
    AccessAttempt,
    AccessHandle,
    AccessHold,
    AccountImportRow,
    AddressAssignment,
    CoaRequest,
    SessionHistory,
    SessionLive,
    UsageHour,
)
from dotmac.core.personal import Held, rows_of

_SESSION = (
    "account_id", "login", "framed_address", "framed_ipv6", "framed_ipv6_prefix",
    "delegated_prefix", "mac", "nas_port", "circuit", "called", "started_at",
    "heard_at", "stopped_at", "seconds", "octets_in", "octets_out", "cause",
)  # fmt: skip


def held_about(account_ids: Sequence[int]) -> Iterable[Held]:
    """Every row about these accounts, secrets apart."""
    accounts = AccessAccount.objects.filter(pk__in=account_ids)
    yield Held("network.accounts", rows_of(
        accounts, "id", "login", "kind", "mac_lock", "created_at", "expires_at",
        "closed_at",
    ))  # fmt: skip
    mine = {"account_id__in": list(account_ids)}
    yield Held("network.holds", rows_of(
        AccessHold.objects.filter(**mine), "account_id", "reason", "effect", "note",
        "placed_at", "lifted_at",
    ))  # fmt: skip
    yield Held("network.handles", rows_of(
        AccessHandle.objects.filter(**mine), "account_id", "kind", "value", "created_at",
    ))  # fmt: skip
    yield Held("network.addresses", rows_of(
        AddressAssignment.objects.filter(**mine), "account_id", "address",
        "assigned_at", "released_at",
    ))  # fmt: skip
    live, past = SessionLive.objects.filter(**mine), SessionHistory.objects.filter(
        **mine
    )
    yield Held("network.sessions", rows_of(live, *_SESSION))
    yield Held("network.past_sessions", rows_of(past, *_SESSION))
    yield Held("network.disconnects", rows_of(
        CoaRequest.objects.filter(**mine), "account_id", "login", "acct_session_id",
        "framed_address", "kind", "reason", "state", "created_at", "sent_at",
        "answered_at", "answer",
    ))  # fmt: skip
    yield Held("network.usage", rows_of(
        UsageHour.objects.filter(**mine), "account_id", "hour_at", "octets_in",
        "octets_out",
    ))  # fmt: skip
    yield Held("network.login_attempts", rows_of(
        AccessAttempt.objects.filter(**mine), "account_id", "decided_at", "login",
        "mac", "accepted", "reason", "hold_reason",
    ))  # fmt: skip
    yield Held("network.imports", rows_of(
        AccountImportRow.objects.filter(**mine), "account_id", "created_at", "login",
        "state", "reason", "verdict", "differences",
    ))  # fmt: skip
