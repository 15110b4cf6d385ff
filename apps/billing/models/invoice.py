"""Invoices and credit notes. The guards of these tables are in sql/0002_guards.sql
and sql/0006_judge_in_one_pass.sql.

A row is a draft only inside the transaction that writes it: headers, lines and
taxes first, then one UPDATE gives numbers and the final state, and from then on
only the state and the two open-amount columns may move, along allowed edges.
"""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import ExtractYear, Now

from apps.billing.enums import InvoiceKind, InvoiceState
from dotmac.core.models import Record
from dotmac.core.money import Money


class SellerProfile(Record):
    """What documents say about the operator, word for word as when issued."""

    fingerprint = models.CharField(max_length=64, unique=True)
    details = models.JSONField()

    def __str__(self) -> str:
        return str(self.details.get("name", self.fingerprint))


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def invoices(self) -> Self:
        return self.filter(kind=InvoiceKind.INVOICE)

    def credit_notes(self) -> Self:
        return self.filter(kind=InvoiceKind.CREDIT_NOTE)

    def open(self) -> Self:
        return self.invoices().filter(state=InvoiceState.OPEN)

    def overdue(self, day: date) -> Self:
        return self.open().filter(due_date__lt=day)


class Invoice(Record):
    """One invoice, or one credit note against an invoice. Amounts are positive."""

    kind = models.CharField(max_length=12, choices=InvoiceKind)
    state = models.CharField(max_length=16, choices=InvoiceState)
    number_year = models.PositiveSmallIntegerField()
    number = models.BigIntegerField(null=True, blank=True)
    reference = models.CharField(max_length=24, null=True, blank=True)  # noqa: DJ001
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    # Small tables whose rows are never deleted (trigger): no key check per row.
    run = models.ForeignKey(
        "billing.BillingRun",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
    )
    seller = models.ForeignKey(
        SellerProfile,
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    credits_invoice = models.ForeignKey(
        "self",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    issue_date = models.DateField()
    due_date = models.DateField()
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    allocated_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    buyer = models.JSONField()
    note = models.CharField(max_length=300, blank=True, default="")
    issued_at = models.DateTimeField(db_default=Now(), editable=False)
    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = (
            # Not over drafts, so that a row enters these once, with its number.
            models.UniqueConstraint(
                fields=("kind", "number_year", "number"),
                name="billing_invoice_number",
                condition=Q(number__isnull=False),
            ),
            models.UniqueConstraint(
                fields=("reference",),
                name="billing_invoice_reference",
                condition=Q(reference__isnull=False),
            ),
            models.UniqueConstraint(
                fields=("run", "customer"), name="billing_invoice_one_a_run"
            ),
            models.CheckConstraint(
                name="billing_invoice_total",
                condition=Q(total_minor=F("subtotal_minor") + F("tax_minor")),
            ),
            models.CheckConstraint(
                name="billing_invoice_amounts_positive",
                condition=Q(subtotal_minor__gte=0)
                & Q(tax_minor__gte=0)
                & Q(allocated_minor__gte=0)
                & Q(credited_minor__gte=0),
            ),
            models.CheckConstraint(
                name="billing_invoice_not_overpaid",
                condition=Q(
                    total_minor__gte=F("allocated_minor") + F("credited_minor")
                ),
            ),
            models.CheckConstraint(
                name="billing_invoice_currency",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
            ),
            models.CheckConstraint(
                name="billing_invoice_dates",
                condition=Q(due_date__gte=F("issue_date"))
                & Q(number_year=ExtractYear("issue_date")),
            ),
            models.CheckConstraint(
                name="billing_invoice_final_has_number",
                condition=Q(state="draft", number__isnull=True, reference__isnull=True)
                | (
                    ~Q(state="draft") & Q(number__isnull=False, reference__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="billing_invoice_state_fits_amounts",
                condition=Q(state="draft", allocated_minor=0, credited_minor=0)
                | Q(
                    state__in=("open", "uncollectible"),
                    total_minor__gt=F("allocated_minor") + F("credited_minor"),
                )
                | Q(
                    state="paid",
                    kind="invoice",
                    total_minor=F("allocated_minor") + F("credited_minor"),
                )
                & (Q(total_minor=0) | Q(total_minor__gt=F("credited_minor")))
                | Q(
                    state="paid",
                    kind="credit_note",
                    allocated_minor=0,
                    credited_minor=0,
                )
                | Q(
                    state="void",
                    total_minor__gt=0,
                    credited_minor=F("total_minor"),
                ),
            ),
            models.CheckConstraint(
                name="billing_invoice_credit_note_credits",
                condition=Q(kind="invoice", credits_invoice__isnull=True)
                | Q(
                    kind="credit_note",
                    credits_invoice__isnull=False,
                    state__in=("draft", "paid"),
                ),
            ),
        )
        indexes = (
            models.Index(fields=("customer", "-id"), name="billing_invoice_customer"),
            models.Index(
                fields=("due_date", "customer"),
                name="billing_invoice_open",
                condition=Q(state="open", kind="invoice"),
            ),
            # Dunning walks over debtors by customer, a chunk at a time.
            models.Index(
                fields=("customer", "due_date"),
                name="billing_invoice_open_of",
                condition=Q(state="open", kind="invoice"),
            ),
            models.Index(fields=("-issue_date", "-id"), name="billing_invoice_newest"),
            models.Index(
                fields=("credits_invoice",),
                name="billing_invoice_credits",
                condition=Q(credits_invoice__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.reference or f"draft {self.pk}"

    @property
    def open_minor(self) -> int:
        """What is still to be paid; nothing on a credit note or a void invoice."""
        if self.kind == InvoiceKind.CREDIT_NOTE:
            return 0
        return self.total_minor - self.allocated_minor - self.credited_minor

    def money(self, amount_minor: int) -> Money:
        return Money(amount_minor, self.currency)

    @property
    def total(self) -> Money:
        return self.money(self.total_minor)

    @property
    def open_amount(self) -> Money:
        return self.money(self.open_minor)


class InvoiceLine(models.Model):
    """One charge with everything that explains its amount."""

    id = models.BigAutoField(primary_key=True)
    # Checked per statement by the trigger that asks for a draft.
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    service_id = models.BigIntegerField(null=True, blank=True)
    service_reference = models.CharField(max_length=24, blank=True, default="")
    description = models.CharField(max_length=200)
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    days = models.PositiveSmallIntegerField(null=True, blank=True)
    days_whole = models.PositiveSmallIntegerField(null=True, blank=True)
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
    amount_minor = models.BigIntegerField()
    tax_class = models.CharField(max_length=60)
    tax_percent = models.DecimalField(max_digits=9, decimal_places=6)
    credits_line = models.ForeignKey(
        "self", models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("invoice", "number"), name="billing_invoiceline_number"
            ),
            models.CheckConstraint(
                name="billing_invoiceline_positive", condition=Q(amount_minor__gte=0)
            ),
            models.CheckConstraint(
                name="billing_invoiceline_days",
                condition=Q(days__isnull=True, days_whole__isnull=True)
                | Q(days__gte=1, days_whole__gte=F("days")),
            ),
        )
        indexes = (
            models.Index(
                fields=("credits_line",),
                name="billing_invoiceline_credits",
                condition=Q(credits_line__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.number}"


class InvoiceTax(models.Model):
    """The tax of one (class, rate) group of an invoice's lines."""

    id = models.BigAutoField(primary_key=True)
    # Checked per statement by the trigger that asks for a draft.
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    tax_class = models.CharField(max_length=60)
    label = models.CharField(max_length=40)
    percent = models.DecimalField(max_digits=9, decimal_places=6)
    base_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("invoice", "tax_class", "percent"),
                name="billing_invoicetax_group",
            ),
            models.CheckConstraint(
                name="billing_invoicetax_positive",
                condition=Q(base_minor__gte=0) & Q(amount_minor__gte=0),
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} of {self.invoice_id}"


class BilledPeriod(models.Model):
    """The claim that one service's calendar month was billed. There is one."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(
        "catalog.Service", models.PROTECT, related_name="+", db_index=False
    )
    period_start = models.DateField()
    # Checked per statement by the trigger that asks for a draft.
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("service", "period_start"), name="billing_billedperiod_once"
            ),
            models.CheckConstraint(
                name="billing_billedperiod_month",
                condition=Q(period_start__day=1),
            ),
        )

    def __str__(self) -> str:
        return f"{self.service_id} {self.period_start}"
