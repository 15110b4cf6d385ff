"""Lines on line and their changes of speed; part of `tools.bench.inside`.

Django is set up by whoever imports this.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from apps.network import operations as network
from apps.network.models import AccessAccount, AccessHold, RateProfile
from dotmac.core.actors import system_actor

ACTOR = system_actor("benchmark")


def put_on_line(address: str) -> dict[str, int]:
    """A running session on that NAS for each account, which nothing holds."""
    AccessHold.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO network_sessionlive
                (session_key, account_id, nas_id, login, acct_session_id, started_at,
                 seen_at, start_received)
            SELECT md5(a.id::text)::uuid, a.id, n.id, a.login, 's' || a.id, now(),
                   now(), true
              FROM network_accessaccount a
              JOIN network_nas n ON host(n.address) = %s
             WHERE a.login LIKE 'b%%'
            """,
            [address],
        )
        return {"sessions": cursor.rowcount}


def change_speeds(threads: int) -> dict[str, object]:
    """Give every account the other speed, many threads at once.

    Returns when each change was committed, by session, and how long all took.
    """
    profiles = list(RateProfile.objects.order_by("pk").values_list("pk", flat=True))
    # Each of them differs from what the account has, whatever it began with.
    accounts = list(
        AccessAccount.objects.filter(login__startswith="b").values_list(
            "pk", "profile_id"
        )
    )
    connection.close()
    committed: dict[str, float] = {}
    gate = threading.Barrier(threads)

    def change(mine: Sequence[tuple[int, int]]) -> None:
        gate.wait()
        for pk, has in mine:
            other = next(profile for profile in profiles if profile != has)
            network.change_access(
                account_id=pk, profile_id=other, actor=ACTOR, now=timezone.now()
            )
            committed[f"s{pk}"] = time.time()
            # As a request ends: the connection goes back to the process's pool.
            connection.close()

    workers = [
        threading.Thread(target=change, args=(accounts[number::threads],))
        for number in range(threads)
    ]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"committed": committed, "seconds": time.monotonic() - began}
