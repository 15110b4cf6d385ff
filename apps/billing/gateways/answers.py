"""What gateways tell us, in our words, whoever the provider is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ChargeState(StrEnum):
    """What the gateway says became of a charge.

    UNDECIDED covers everything that may still become either: the customer has
    not finished, the bank has not answered, or the gateway does not know the
    reference (our first call may not have reached it, or not yet).
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One charge as the gateway reports it. Amounts are minor units."""

    reference: str
    state: ChargeState
    provider_status: str
    amount_minor: int = 0
    currency: str = ""
    fee_minor: int = 0
    paid_at: datetime | None = None
    channel: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPage:
    """Where the customer pays."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayNotice:
    """A genuine message that the gateway sent by itself."""

    event_id: str
    kind: str
    charge: Charge | None


class GatewayRefused(Exception):
    """The gateway understood us and said no; nothing was charged."""


class GatewayNotConfigured(Exception):
    """There is no usable secret key for the gateway."""


class NoticeRefused(Exception):
    """The message is not the gateway's, or not one that we can read."""
