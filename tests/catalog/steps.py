"""A worker's moves, one by one."""

from apps.catalog import selectors
from apps.catalog.operations import carrying
from apps.ops.models import OutboxEvent
from tests.world import NOON, SYSTEM

EXPIRED = NOON + carrying.LEASE


def try_claim(job, now=NOON):
    return carrying.claim_provisioning(job_id=job.pk, now=now)


def claim(job, now=NOON):
    held = try_claim(job, now)
    assert held is not None, "Somebody else carries it, or it is not due."
    return held


def begin(held, now=NOON):
    name = carrying.begin_step(held=held, actor=SYSTEM, now=now)
    assert name is not None, "The job has ended."
    return name


def perform(held, now=NOON):
    name = begin(held, now)
    return name, carrying.perform_step(held=held, name=name, actor=SYSTEM, now=now)


def carry(job, now=NOON):
    carrying.carry_provisioning(job_id=job.pk, actor=SYSTEM, clock=lambda: now)


def fail(job, says, now=NOON):
    """The first open step is refused with these words."""
    held = claim(job, now)
    name = begin(held, now)
    carrying.fail_step(held=held, name=name, says=says, actor=SYSTEM, now=now)


def conclude(held, now=NOON):
    """The check agreed with the order."""
    begin(held, now)
    carrying.conclude_check(held=held, says="Accepted.", actor=SYSTEM, now=now)


def latest(service):
    job = selectors.latest_provisioning_of(service.pk)
    assert job is not None
    return job


def steps(job):
    return [(s.name, s.state, s.attempts) for s in selectors.steps_of(job.pk)]


def told():
    rows = OutboxEvent.objects.filter(name__startswith="catalog.service")
    return list(rows.order_by("pk").values_list("name", flat=True))


def exhaust(shop):
    """Five other accounts hold the pool's five addresses; returns them."""
    found = [
        shop.net.open_access(
            login=f"other{n}", password="secret", profile_id=shop.profile.pk
        )
        for n in range(5)
    ]
    for account in found:
        shop.net.allocate_address(pool_id=shop.pool.pk, account_id=account.pk)
    return found
