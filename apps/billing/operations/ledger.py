"""Posting to the ledger. Balances move by trigger, in the same statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from apps.billing.errors import AlreadyReversed, PostedDifferently
from apps.billing.models import LedgerEntry, LedgerTransaction
from apps.billing.rules.ledger import Posting, mirrored
from dotmac.core.db import refusing

ENTRIES_MAX = 1000


@transaction.atomic
def post(
    *,
    source_kind: str,
    source_id: int,
    postings: Sequence[Posting],
    occurred_date: date,
    now: datetime,
    description: str = "",
    reverses: LedgerTransaction | None = None,
) -> LedgerTransaction:
    """Write one balanced transaction for a source ("payment", 17).

    The same source with the same postings again returns what stands; with
    others it is refused (`posted_differently`). An unbalanced list is a bug that
    the database refuses.
    """
    assert 2 <= len(postings) <= ENTRIES_MAX
    posted = _find(source_kind, source_id)
    if posted is not None:
        return _same_or_refuse(posted, postings)

    with refusing(
        billing_ledgertransaction_source_once=PostedDifferently,
        billing_ledgertransaction_reverses_id_key=AlreadyReversed,
    ):
        posted = LedgerTransaction.objects.create(
            source_kind=source_kind,
            source_id=source_id,
            occurred_date=occurred_date,
            description=description,
            reverses=reverses,
            created_at=now,
            updated_at=now,
        )
    # One statement: the balance of a transaction is judged per statement.
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                transaction=posted,
                account_id=posting.account,
                customer_id=posting.customer_id,
                amount_minor=posting.amount_minor,
                currency=posting.currency,
            )
            for posting in postings
        ],
        batch_size=ENTRIES_MAX,
    )
    return posted


@transaction.atomic
def reverse(
    *,
    transaction_id: int,
    source_kind: str,
    source_id: int,
    occurred_date: date,
    now: datetime,
    description: str = "",
) -> LedgerTransaction:
    """Undo a transaction by its mirror. Once; the same source again is harmless."""
    original = LedgerTransaction.objects.get(pk=transaction_id)
    return post(
        source_kind=source_kind,
        source_id=source_id,
        postings=mirrored(_postings_of(original)),
        occurred_date=occurred_date,
        now=now,
        description=description,
        reverses=original,
    )


def _find(source_kind: str, source_id: int) -> LedgerTransaction | None:
    return LedgerTransaction.objects.filter(
        source_kind=source_kind, source_id=source_id
    ).first()


def _same_or_refuse(
    posted: LedgerTransaction, postings: Sequence[Posting]
) -> LedgerTransaction:
    if sorted(_postings_of(posted), key=_key) != sorted(postings, key=_key):
        raise PostedDifferently(source=str(posted))
    return posted


def _postings_of(posted: LedgerTransaction) -> list[Posting]:
    entries = LedgerEntry.objects.filter(transaction=posted).order_by("pk")
    return [
        Posting(
            account=entry.account_id,
            amount_minor=entry.amount_minor,
            currency=entry.currency,
            customer_id=entry.customer_id,
        )
        for entry in entries
    ]


def _key(posting: Posting) -> tuple[int, str, int, int]:
    return (
        posting.account,
        posting.currency,
        posting.customer_id or 0,
        posting.amount_minor,
    )
