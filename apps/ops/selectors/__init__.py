"""What others may ask of ops."""

from apps.ops.selectors.keys import ColumnKeys, sealed_rows
from apps.ops.selectors.records import (
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
    "ColumnKeys",
    "audit_entries",
    "business_date",
    "job_of",
    "jobs",
    "latest_integrity_results",
    "messages",
    "outbox_events",
    "parked_event_count",
    "sealed_rows",
    "unpublished_events",
]
