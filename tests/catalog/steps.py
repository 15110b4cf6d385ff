"""A worker's moves, one by one."""

from apps.catalog import selectors
from apps.catalog.operations import carrying
from apps.ops.models import OutboxEvent
from tests.world import NOON, SYSTEM

EXPIRED = NOON + carrying.LEASE


def claim(job, now=NOON):
    return carrying.claim_provisioning(job_id=job.pk, now=now)


def begin(held, now=NOON):
    return carrying.begin_step(held=held, actor=SYSTEM, now=now)


def perform(held, now=NOON):
    name = begin(held, now)
    return name, carrying.perform_step(held=held, name=name, actor=SYSTEM, now=now)


def carry(job, now=NOON):
    carrying.carry_provisioning(job_id=job.pk, actor=SYSTEM, clock=lambda: now)


def steps(job):
    return [(s.name, s.state, s.attempts) for s in selectors.steps_of(job.pk)]


def told():
    rows = OutboxEvent.objects.filter(name__startswith="catalog.service")
    return list(rows.order_by("pk").values_list("name", flat=True))


def exhaust(shop, world):
    for n in range(5):
        account = shop.net.open_access(
            login=f"other{n}", password="secret", profile_id=shop.profile.pk
        )
        shop.net.allocate_address(pool_id=shop.pool.pk, account_id=account.pk)
    return account
