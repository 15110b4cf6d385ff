"""How NASes do, from the sessions and decisions that their packets left behind."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

# Four reads of sets, whatever the number of packets. Times in the future, of a clock
# that was put back, count as now; least() passes over NULL, hence the CASEs.
_MEASURE = """
INSERT INTO network_nashealth AS h (
    nas_id, heard_at, accepts, rejects, p50_us, p99_us, measured_at)
SELECT n.id,
       CASE WHEN coalesce(s.heard_at, a.decided_at) IS NOT NULL
            THEN least(greatest(s.heard_at, a.decided_at), %(now)s) END,
       coalesce(a.accepts, 0), coalesce(a.rejects, 0), a.p50_us, a.p99_us, %(now)s
  FROM network_nas n
  LEFT JOIN (SELECT nas_id, max(heard_at) AS heard_at
               FROM network_sessionlive GROUP BY nas_id) s ON s.nas_id = n.id
  LEFT JOIN (SELECT nas_id, max(decided_at) AS decided_at,
                    sum(sample_of) FILTER (WHERE accepted) AS accepts,
                    sum(sample_of) FILTER (WHERE NOT accepted) AS rejects,
                    percentile_disc(0.5) WITHIN GROUP (ORDER BY took_us) AS p50_us,
                    percentile_disc(0.99) WITHIN GROUP (ORDER BY took_us) AS p99_us
               FROM network_accessattempt
              WHERE decided_at > %(now)s - interval '1 hour' AND decided_at <= %(now)s
              GROUP BY nas_id) a ON a.nas_id = n.id
 ORDER BY n.id
ON CONFLICT (nas_id) DO UPDATE SET
    heard_at = CASE WHEN coalesce(h.heard_at, EXCLUDED.heard_at) IS NOT NULL
        THEN least(greatest(h.heard_at, EXCLUDED.heard_at), EXCLUDED.measured_at) END,
    accepts = EXCLUDED.accepts,
    rejects = EXCLUDED.rejects,
    p50_us = EXCLUDED.p50_us,
    p99_us = EXCLUDED.p99_us,
    measured_at = EXCLUDED.measured_at
 WHERE h.measured_at <= EXCLUDED.measured_at
"""


@transaction.atomic
def measure_nas_health(*, now: datetime) -> int:
    """Bring every NAS's row up to date; returns how many were. Repeating is safe."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, {"now": now})
        return int(cursor.rowcount)
