"""What happened to orders and services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from dotmac.core.events import Event
from dotmac.core.refs import SubjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCreated(Event):
    name: ClassVar[str] = "catalog.plan.created.v1"

    plan_id: int
    slug: str

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("catalog", "plan", self.plan_id, self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRetired(Event):
    name: ClassVar[str] = "catalog.plan.retired.v1"

    plan_id: int
    slug: str

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("catalog", "plan", self.plan_id, self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSet(Event):
    name: ClassVar[str] = "catalog.plan.price_set.v1"

    plan_id: int
    slug: str
    currency: str
    amount: str
    valid_from: date

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("catalog", "plan", self.plan_id, self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent(Event):
    """A fact about one service of one customer."""

    service_id: int
    reference: str
    of_customer_id: int

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("catalog", "service", self.service_id, self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrdered(ServiceEvent):
    name: ClassVar[str] = "catalog.service.ordered.v1"

    order_id: int
    order_reference: str
    plan_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningQueued(ServiceEvent):
    """The job waits for a worker: first, after a failure, or after a crash."""

    name: ClassVar[str] = "catalog.service.provisioning_queued.v1"
    urgent: ClassVar[bool] = True

    job_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningFailed(ServiceEvent):
    name: ClassVar[str] = "catalog.service.provisioning_failed.v1"

    job_id: int
    step: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningCancelled(ServiceEvent):
    name: ClassVar[str] = "catalog.service.provisioning_cancelled.v1"

    job_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceActivated(ServiceEvent):
    name: ClassVar[str] = "catalog.service.activated.v1"

    active_from_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSuspended(ServiceEvent):
    name: ClassVar[str] = "catalog.service.suspended.v1"

    reason: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResumed(ServiceEvent):
    """One reason went; others may still hold the service."""

    name: ClassVar[str] = "catalog.service.resumed.v1"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceExtended(ServiceEvent):
    name: ClassVar[str] = "catalog.service.extended.v1"

    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTerminated(ServiceEvent):
    name: ClassVar[str] = "catalog.service.terminated.v1"

    ends_date: date | None
