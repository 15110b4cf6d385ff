"""Statements about ops' data that must never be false."""

from __future__ import annotations

from dotmac.core.invariants import Invariant

INVARIANTS = (
    Invariant(
        name="ops.audit_entries_are_chained",
        says="Every audit entry is in the chain or waits for its place.",
        sql="""
            SELECT a.id, a.action, a.recorded_at::text
              FROM ops_auditentry a LEFT JOIN ops_auditlink l ON l.entry_id = a.id
              LEFT JOIN ops_auditpending p ON p.entry_id = a.id
             WHERE l.entry_id IS NULL AND p.entry_id IS NULL
        """,
    ),
    Invariant(
        name="ops.audit_chain_fits",
        says="The newest 20,000 audit entries are what was chained.",
        sql="""
            SELECT l.stream, l.sequence, l.entry_id
              FROM (SELECT stream, sequence, entry_id, hash,
                           lag(hash) OVER w AS before, lag(sequence) OVER w AS earlier
                      FROM (SELECT * FROM ops_auditlink
                             ORDER BY stream DESC, sequence DESC LIMIT 20000) newest
                    WINDOW w AS (PARTITION BY stream ORDER BY sequence)) l
              LEFT JOIN ops_auditentry a ON a.id = l.entry_id
             WHERE l.before IS NOT NULL
               AND (a.id IS NULL OR l.earlier <> l.sequence - 1 OR
                    l.hash <> ops_audit_hash(l.before, l.stream, l.sequence, a))
        """,
    ),
    Invariant(
        name="ops.audit_was_verified_well",
        says="The latest verification of the audit chain found nothing.",
        sql="""
            SELECT c.id, c.checked_at::text, c.findings
              FROM (SELECT * FROM ops_auditcheck WHERE kind = 'verified'
                     ORDER BY id DESC LIMIT 1) c
             WHERE NOT c.good
        """,
    ),
)
