"""Facts about invoices. A bill run tells one fact per chunk, not per invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from dotmac.core.events import Event
from dotmac.core.refs import SubjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRunStarted(Event):
    name: ClassVar[str] = "billing.run.started.v1"

    run_id: int
    day: date

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "run", self.run_id, str(self.day))


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicesIssued(Event):
    """A chunk of a run was billed: read the invoices of run and customer range."""

    name: ClassVar[str] = "billing.invoices.issued.v1"

    run_id: int
    chunk_id: int
    customer_after: int
    customer_until: int
    invoices_count: int

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "chunk", self.chunk_id, f"run {self.run_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingRunFinished(Event):
    name: ClassVar[str] = "billing.run.finished.v1"

    run_id: int
    day: date

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "run", self.run_id, str(self.day))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteIssued(Event):
    name: ClassVar[str] = "billing.credit_note.issued.v1"

    credit_note_id: int
    invoice_id: int
    reference: str
    of_customer_id: int | None = None

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "invoice", self.credit_note_id, self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRateSet(Event):
    name: ClassVar[str] = "billing.tax_rate.set.v1"

    tax_class_id: int
    slug: str
    percent: str
    valid_from: date

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("billing", "tax_class", self.tax_class_id, self.slug)
