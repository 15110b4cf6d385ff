"""What others may ask of ops."""

from apps.ops.selectors.audit import (
    PENDING,
    ChainState,
    chain_states,
    chained_count,
    latest_anchor,
    latest_verification,
    pending_count,
    with_chain,
)
from apps.ops.selectors.keys import ColumnKeys, sealed_rows
from apps.ops.selectors.personal import held_of
from apps.ops.selectors.records import (
    TIMELINE,
    audit_entries,
    business_date,
    job_of,
    jobs,
    latest_integrity_results,
    messages,
    outbox_events,
    parked_event_count,
    unpublished_events,
)

__all__ = [
    "PENDING",
    "TIMELINE",
    "ChainState",
    "ColumnKeys",
    "audit_entries",
    "business_date",
    "chain_states",
    "chained_count",
    "held_of",
    "job_of",
    "jobs",
    "latest_anchor",
    "latest_integrity_results",
    "latest_verification",
    "messages",
    "outbox_events",
    "parked_event_count",
    "pending_count",
    "sealed_rows",
    "unpublished_events",
    "with_chain",
]
