"""What the simulated gateway remembers, and the JSON it answers with."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

TRANSACTIONS_MAX = 20_000
FLAT_FEE_FROM_MINOR = 2_500_00
_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,64}")
_CURRENCIES = {"NGN", "GHS", "ZAR", "USD", "KES"}


@dataclass(slots=True)
class Behaviour:
    """How the gateway misbehaves. Everything off: it is well."""

    webhooks: bool = True
    webhook_copies: int = 1
    fail_initialize: int = 0  # so many next initialisations answer 500
    fail_verify: int = 0
    hang_initialize_s: float = 0.0
    hang_verify_s: float = 0.0
    confuse_references: bool = False  # answers about another transaction
    charge_instead_minor: int | None = None  # another amount than asked
    charge_instead_currency: str | None = None


@dataclass(slots=True)
class Transaction:
    """One transaction of the gateway, in its words of state."""

    id: int
    reference: str
    access_code: str
    amount: int
    currency: str
    email: str
    callback_url: str
    cancel_url: str
    created_at: datetime
    status: str = "abandoned"  # as Paystack says until the customer has finished
    gateway_response: str = "The transaction was not completed"
    paid_at: datetime | None = None
    metadata: Any = None

    @property
    def fees(self) -> int | None:
        """Paystack's local fee: 1.5 % and, from 2,500 on, 100; at most 2,000."""
        if self.status != "success":
            return None
        flat = 100_00 if self.amount >= FLAT_FEE_FROM_MINOR else 0
        return min(self.amount * 15 // 1000 + flat, 2_000_00)

    def to_data(self) -> dict[str, Any]:
        paid = self.paid_at.isoformat() if self.paid_at else None
        return {
            "id": self.id,
            "domain": "test",
            "status": self.status,
            "reference": self.reference,
            "amount": self.amount,
            "message": None,
            "gateway_response": self.gateway_response,
            "paid_at": paid,
            "created_at": self.created_at.isoformat(),
            "channel": "card",
            "currency": self.currency,
            "ip_address": "127.0.0.1",
            "metadata": self.metadata,
            "fees": self.fees,
            "customer": {"email": self.email, "customer_code": "CUS_simulated"},
            "authorization": {"channel": "card", "bank": "SIMULATED BANK"},
        }


class Refused(Exception):
    """The gateway's own refusal: HTTP status and message."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(slots=True)
class Book:
    """All transactions; every method may be called from any thread."""

    secret_key: str
    behaviour: Behaviour = field(default_factory=Behaviour)
    _rows: dict[str, Transaction] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def initialize(self, body: dict[str, Any]) -> Transaction:
        reference = str(body.get("reference") or secrets.token_hex(8))
        amount, email = _amount(body.get("amount")), str(body.get("email") or "")
        currency = str(body.get("currency") or "NGN")
        if not _REFERENCE.fullmatch(reference):
            raise Refused(400, "Invalid reference", "invalid_params")
        if amount <= 0:
            raise Refused(400, "Invalid Amount Sent", "invalid_params")
        if "@" not in email:
            raise Refused(400, "Invalid Email Address Passed", "invalid_params")
        if currency not in _CURRENCIES:
            raise Refused(403, "Currency not supported by merchant", "unsupported")
        with self._lock:
            if reference in self._rows:
                raise Refused(
                    400, "Duplicate Transaction Reference", "duplicate_reference"
                )
            if len(self._rows) >= TRANSACTIONS_MAX:
                raise Refused(429, "The simulator is full", "rate_limited")
            row = Transaction(
                id=len(self._rows) + 1 + secrets.randbelow(10**6) * TRANSACTIONS_MAX,
                reference=reference,
                access_code=secrets.token_hex(8),
                amount=amount,
                currency=currency,
                email=email,
                callback_url=str(body.get("callback_url") or ""),
                cancel_url=_cancel_url(body),
                created_at=datetime.now(UTC),
                metadata=body.get("metadata"),
            )
            self._rows[reference] = row
            return row

    def find(self, reference: str) -> Transaction:
        with self._lock:
            row = self._rows.get(reference)
        if row is None:
            raise Refused(404, "Transaction reference not found.", "not_found")
        return row

    def by_access_code(self, access_code: str) -> Transaction:
        with self._lock:
            rows = [
                row for row in self._rows.values() if row.access_code == access_code
            ]
        if not rows:
            raise Refused(404, "No such page.", "not_found")
        return rows[0]

    def pay(self, reference: str) -> Transaction:
        """The customer pays. Paying twice changes nothing."""
        row = self.find(reference)
        with self._lock:
            if row.status == "success":
                return row
            switch = self.behaviour
            if switch.charge_instead_minor is not None:
                row.amount = switch.charge_instead_minor
            if switch.charge_instead_currency is not None:
                row.currency = switch.charge_instead_currency
            row.status, row.gateway_response = "success", "Successful"
            row.paid_at = datetime.now(UTC)
        return row

    def decline(self, reference: str) -> Transaction:
        """The bank says no; the customer may try again on the same page."""
        row = self.find(reference)
        with self._lock:
            if row.status != "success":
                row.status, row.gateway_response = "failed", "Declined by the bank"
        return row

    def notice_of(self, row: Transaction) -> tuple[bytes, str]:
        """A charge.success webhook: body and signature."""
        body = json.dumps({"event": "charge.success", "data": row.to_data()}).encode()
        return body, self.sign(body)

    def sign(self, body: bytes) -> str:
        return hmac.new(self.secret_key.encode(), body, hashlib.sha512).hexdigest()


def _amount(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def _cancel_url(body: dict[str, Any]) -> str:
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        return str(metadata.get("cancel_action") or "")
    return ""
