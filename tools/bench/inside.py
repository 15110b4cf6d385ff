"""What a measurement needs done inside DotMac, each verb in a process of its own.

`python -m tools.bench.inside VERB FACTS` prints its answer as JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import django

django.setup()

from django.db import (  # noqa: E402 - needs the settings
    connection,
    connections,
    transaction,
)
from django.utils import timezone  # noqa: E402

from apps.billing import operations as billing  # noqa: E402
from apps.billing.operations import runs  # noqa: E402
from apps.identity import operations as identity  # noqa: E402
from apps.network import operations as network  # noqa: E402
from apps.network.models import (  # noqa: E402
    AccessAccount,
    AddressAssignment,
    Prefix,
)
from apps.ops import operations as ops  # noqa: E402
from dotmac.core.actors import system_actor  # noqa: E402
from dotmac.core.db import copy_rows  # noqa: E402
from dotmac.core.refs import SubjectRef  # noqa: E402
from tests.performance.bulk_billing import write_by_bulk_create  # noqa: E402
from tools.bench import rights, speeds  # noqa: E402
from tools.bench.accounts import make_subscribers  # noqa: E402
from tools.bench.cpu import seconds_of  # noqa: E402
from tools.bench.takers import grants, latencies  # noqa: E402
from tools.bench.web import totp  # noqa: E402

ACTOR = system_actor("benchmark")


def staff() -> dict[str, str]:
    """An owner who accepted the invitation and enrolled a code generator."""
    # In the past, so that the code of this half minute is not used up.
    now = timezone.now() - timedelta(minutes=5)
    user = identity.create_staff(
        username="bench",
        email="bench@demo-isp.example",
        name="Bench",
        role_slug="owner",
        actor=ACTOR,
        now=now,
    )
    link = identity.invite_staff(user_id=user.pk, actor=ACTOR, now=now)
    password = "nine bridges carry the bench"  # noqa: S105 - of a temporary server  # nosec B105
    session = identity.accept_invitation(token=link.token, password=password, now=now)
    secret = identity.enrol_totp(session_id=session.pk, now=now).secret
    otp = totp(secret, at=now.timestamp())
    identity.confirm_totp(session_id=session.pk, otp=otp, now=now)
    return {"username": "bench", "password": password, "secret": secret}


def nas(address: str) -> dict[str, str]:
    """A NAS from which the load client asks."""
    secret = "shared-by-the-bench"  # noqa: S105 - of a temporary server  # nosec B105
    network.create_nas(
        name=address, address=address, secret=secret, actor=ACTOR, now=timezone.now()
    )
    return {"secret": secret}


def pool(name: str, cidr: str, held: int) -> dict[str, int]:
    """A pool in which the first addresses are held by the first accounts."""
    now = timezone.now()
    made = network.create_pool(name=name, actor=ACTOR, now=now)
    network.create_prefix(cidr=cidr, pool_id=made.pk, actor=ACTOR, now=now)
    if held:
        prefix = Prefix.objects.get(pool_id=made.pk)
        first = prefix.cidr.network_address + 1
        accounts = AccessAccount.objects.order_by("pk").values_list("pk", flat=True)
        place = (prefix.vrf_id, made.pk, prefix.pk)
        copy_rows(
            AddressAssignment,
            ("vrf", "pool", "prefix", "address", "account", "assigned_at", "reusable"),
            (
                (*place, str(first + number), account, now, False)
                for number, account in enumerate(accounts[:held])
            ),
        )
    return {"id": made.pk}


def bill(how: str, day: str, postgres: int) -> dict[str, float]:
    """One whole bill run: its CPU here and in PostgreSQL, and the peak of memory."""
    writers = {"dotmac": billing.write_invoices, "bulk_create": write_by_bulk_create}
    writing = [0.0]

    def write(**facts: Any) -> list[int]:
        started = time.process_time()
        ids = writers[how](**facts)
        writing[0] += time.process_time() - started
        return ids

    baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before, began = seconds_of(postgres), time.process_time()
    with patch.object(runs, "write_invoices", write):
        run = billing.run_billing(
            day=date.fromisoformat(day), actor=ACTOR, now=timezone.now()
        )
    return {
        "worker_s": time.process_time() - began,
        "writing_s": writing[0],
        "postgres_s": seconds_of(postgres) - before,
        "baseline_kib": baseline,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "invoices": run.job.result["invoices"],
    }


def write_audit(writers: int, writes: int) -> dict[str, float]:
    """Audited writes by processes side by side, each in a transaction of its own."""
    connections.close_all()
    before = os.times()
    with multiprocessing.get_context("fork").Pool(writers) as pool:
        spans = pool.map(_write_entries, [writes] * writers, chunksize=1)
        pool.close()
        pool.join()
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    wall = max(ended for _, ended in spans) - min(began for began, _ in spans)
    return {"seconds": wall, "worker_s": used}


def _write_entries(writes: int) -> tuple[float, float]:
    connection.ensure_connection()
    began = time.time()
    for number in range(writes):
        with transaction.atomic():
            ops.record(
                action="bench.written",
                subject=SubjectRef("bench", "row", number, "a row"),
                actor=ACTOR,
                now=timezone.now(),
                changes={"state": ["before", "after"], "number": number},
            )
    ended = time.time()
    connection.close()
    return began, ended


def fill_audit(entries: int) -> dict[str, int]:
    """A long chain, as the application's role makes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO ops_auditentry (recorded_at, occurred_at, action, changes,
                   request_id, address, actor_kind, actor_id, actor_label,
                   subject_app, subject_kind, subject_id, subject_label, customer_id)
               SELECT now(), now(), 'catalog.service.changed',
                      jsonb_build_object('state', jsonb_build_array('a', n)), md5(n::text),
                      '198.51.100.7', 'staff', n %% 50, 'Ada Obi', 'catalog', 'service',
                      n, 'S-' || n, n %% 1000
                 FROM generate_series(1, %s) n""",
            [entries],
        )
    return {"chained": ops.chain_audit()}


def verify_audit() -> dict[str, float]:
    """The whole chain read again."""
    began, used = time.perf_counter(), time.process_time()
    result = ops.verify_audit(now=timezone.now())
    return {
        "rows": result.rows,
        "worker_s": time.process_time() - used,
        "seconds": time.perf_counter() - began,
        "findings": len(result.findings),
    }


_VERBS: dict[str, Callable[..., Any]] = {
    "staff": staff,
    "nas": nas,
    "subscribers": make_subscribers,
    "pool": pool,
    "bill": bill,
    "grants": grants,
    "latencies": latencies,
    "write_audit": write_audit,
    "fill_audit": fill_audit,
    "verify_audit": verify_audit,
    "authorisation_people": rights.make_people,
    "authorise": rights.decide,
    "lines": speeds.put_on_line,
    "change_speeds": speeds.change_speeds,
}

if __name__ == "__main__":
    answer = _VERBS[sys.argv[1]](**json.loads(sys.argv[2]))
    sys.stdout.write(json.dumps(answer) + "\n")
