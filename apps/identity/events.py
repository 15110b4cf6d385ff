"""Facts about customers that apps above may act upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dotmac.core.events import Event
from dotmac.core.refs import SubjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(Event):
    """Something happened to a customer."""

    of_customer_id: int
    reference: str = ""

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("identity", "customer", self.of_customer_id, self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRegistered(CustomerEvent):
    name: ClassVar[str] = "identity.customer.registered.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(CustomerEvent):
    name: ClassVar[str] = "identity.customer.changed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerActivated(CustomerEvent):
    name: ClassVar[str] = "identity.customer.activated.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerClosed(CustomerEvent):
    name: ClassVar[str] = "identity.customer.closed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRested(CustomerEvent):
    """The last service of the customer ended."""

    name: ClassVar[str] = "identity.customer.rested.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerReopened(CustomerEvent):
    name: ClassVar[str] = "identity.customer.reopened.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDeleted(CustomerEvent):
    name: ClassVar[str] = "identity.customer.deleted.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerErased(CustomerEvent):
    """The person was forgotten; whoever holds a copy elsewhere has to follow."""

    name: ClassVar[str] = "identity.customer.erased.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeEvent(CustomerEvent):
    """Told of each of the two customers; `survivor_id` is the one that goes on."""

    survivor_id: int
    other_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersMerged(MergeEvent):
    name: ClassVar[str] = "identity.customer.merged.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersUnmerged(MergeEvent):
    name: ClassVar[str] = "identity.customer.unmerged.v1"
