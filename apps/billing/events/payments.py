"""Facts about payments and dunning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, TypedDict

from dotmac.core.events import Event
from dotmac.core.refs import SubjectRef


class AboutPayment(TypedDict):
    """The fields that every payment event has."""

    payment_id: int
    reference: str
    method: str
    amount_minor: int
    currency: str
    of_customer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent(Event):
    """A fact about one payment of one customer."""

    payment_id: int
    reference: str
    method: str
    amount_minor: int
    currency: str
    of_customer_id: int | None = None

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "payment", self.payment_id, self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutStarted(PaymentEvent):
    name: ClassVar[str] = "billing.payment.started.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled(PaymentEvent):
    name: ClassVar[str] = "billing.payment.settled.v1"
    urgent: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(PaymentEvent):
    name: ClassVar[str] = "billing.payment.failed.v1"

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentParked(PaymentEvent):
    name: ClassVar[str] = "billing.payment.parked.v1"

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReversed(PaymentEvent):
    name: ClassVar[str] = "billing.payment.reversed.v1"

    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditAllocated(Event):
    """Credit that waited paid invoices of this customer."""

    name: ClassVar[str] = "billing.credit.allocated.v1"

    of_customer_id: int
    amount_minor: int
    currency: str

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("identity", "customer", self.of_customer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningEvent(Event):
    """A fact about the dunning of one customer."""

    of_customer_id: int
    action_id: int

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "dunning", self.of_customer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReminded(DunningEvent):
    name: ClassVar[str] = "billing.dunning.reminded.v1"

    invoice_id: int
    step: int
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCutOff(DunningEvent):
    name: ClassVar[str] = "billing.dunning.cut_off.v1"

    invoice_id: int
    step: int
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReconnected(DunningEvent):
    name: ClassVar[str] = "billing.dunning.reconnected.v1"

    why: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPromised(Event):
    name: ClassVar[str] = "billing.dunning.promised.v1"

    of_customer_id: int
    promise_id: int
    promised_date: date

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "dunning", self.of_customer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseWithdrawn(Event):
    name: ClassVar[str] = "billing.dunning.promise_withdrawn.v1"

    of_customer_id: int
    promise_id: int

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "dunning", self.of_customer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningPolicySet(Event):
    name: ClassVar[str] = "billing.dunning_policy.set.v1"

    policy_id: int
    slug: str
    steps: str

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "dunning_policy", self.policy_id, self.slug)
