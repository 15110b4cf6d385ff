"""The ledger: append-only double entry.

Debits are positive, credits negative, and a transaction sums to zero in each
currency. The database holds that by statement triggers (sql/0002_guards.sql,
sql/0006_judge_in_one_pass.sql), for COPY and psql as well; the same trigger moves
CustomerBalance, so that no program can forget it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Func, Q, TextField
from django.db.models.functions import Cast

from apps.billing.enums import AccountKind
from dotmac.core.models import Record


class LedgerAccount(models.Model):
    """One account of the chart. Its number is its key."""

    code = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=AccountKind)
    per_customer = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class LedgerTransaction(Record):
    """One business event in the books, named by its source exactly once."""

    source_kind = models.CharField(max_length=24)
    source_id = models.BigIntegerField()
    occurred_date = models.DateField()
    description = models.CharField(max_length=120, blank=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, related_name="+", null=True, blank=True
    )
    # The database transaction that wrote the row; only it may add entries.
    posted_xid = models.BigIntegerField(
        db_default=Cast(
            Cast(Func(function="pg_current_xact_id"), TextField()),
            models.BigIntegerField(),
        ),
        editable=False,
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("source_kind", "source_id"),
                name="billing_ledgertransaction_source_once",
            ),
            models.CheckConstraint(
                name="billing_ledgertransaction_not_itself",
                condition=Q(reverses__isnull=True) | ~Q(reverses=F("id")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.source_kind}:{self.source_id}"


class LedgerEntry(models.Model):
    """One leg of a transaction. customer is set on accounts kept per customer."""

    id = models.BigAutoField(primary_key=True)
    # No key check per entry: the trigger that judges entries refuses transactions
    # and accounts that are not there, and both tables never lose a row. A customer
    # gets a balance in that same statement; the balance has the key check.
    transaction = models.ForeignKey(
        LedgerTransaction,
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=True,
    )
    account = models.ForeignKey(
        LedgerAccount,
        models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    customer = models.ForeignKey(
        "identity.Customer",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="billing_ledgerentry_not_zero", condition=~Q(amount_minor=0)
            ),
            models.CheckConstraint(
                name="billing_ledgerentry_currency",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
            ),
        )
        indexes = (
            models.Index(
                fields=("customer", "-id"),
                name="billing_ledgerentry_customer",
                condition=Q(customer__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.amount_minor} {self.currency}"


class CustomerBalance(models.Model):
    """What a customer owes: the sum of the receivable entries, kept by trigger.

    Positive: the customer owes. Negative: the customer has credit. The
    application's role may read it only.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "currency"), name="billing_customerbalance_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.balance_minor} {self.currency}"
