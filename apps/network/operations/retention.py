"""What is known of lines, forgotten after its time. How long is the caller's to say."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from dotmac.core.db import fetch_dicts

FORGET_MAX = 5_000
ACCOUNTS_MAX = 500


@transaction.atomic
def forget_sessions(*, before: datetime, limit: int = FORGET_MAX) -> int:
    """Drop a whole month of past sessions that ended before the bound, or a batch.

    Months go by when their sessions started; rows of those that were heard of since
    stay. Refused (by the database) for a bound of less than a month ago. Killed at any
    point, a month is there or it is not. Returns 0 when nothing is left, or when the
    history is being read for so long that the next run has to do it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT network_forget_sessions(%s, %s)", [before, min(limit, FORGET_MAX)]
        )
        return int(cursor.fetchone()[0])


@transaction.atomic
def forget_usage(
    *, before: datetime, after_account: int = 0, limit: int = FORGET_MAX
) -> tuple[int, int]:
    """Delete a batch of hours of usage before the bound, account by account.

    Returns how many went, and the last account looked at: call again from the same
    account while the batch was full, then from the next ones until it is 0. Safe to
    repeat and to kill.
    """
    rows = fetch_dicts(
        """
        WITH chosen AS (
            SELECT id FROM network_accessaccount WHERE id > %(after)s
             ORDER BY id LIMIT %(accounts)s),
        gone AS (
            DELETE FROM network_usagehour u
             USING (SELECT account_id, hour_at FROM network_usagehour
                     WHERE account_id IN (SELECT id FROM chosen) AND hour_at < %(before)s
                     LIMIT %(limit)s FOR UPDATE SKIP LOCKED) old
             WHERE u.account_id = old.account_id AND u.hour_at = old.hour_at
            RETURNING 1)
        SELECT (SELECT count(*) FROM gone) AS gone,
               (SELECT coalesce(max(id), 0) FROM chosen) AS last
        """,
        {
            "after": after_account,
            "accounts": ACCOUNTS_MAX,
            "before": before,
            "limit": min(limit, FORGET_MAX),
        },
    )
    return rows[0]["gone"], rows[0]["last"]


@transaction.atomic
def forget_coa_requests(*, before: datetime, limit: int = FORGET_MAX) -> int:
    """Delete a batch of requests to NASes that were settled before the bound."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM network_coarequest WHERE id IN (
                SELECT id FROM network_coarequest
                 WHERE created_at < %(before)s AND updated_at < %(before)s
                   AND state NOT IN ('queued', 'sending')
                 ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            """,
            {"before": before, "limit": min(limit, FORGET_MAX)},
        )
        return int(cursor.rowcount)
