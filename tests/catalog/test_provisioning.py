"""The job and its steps: claims, refusals, retries, giving up. The packets that
the check sends are in test_check.py, killed workers in tests/races."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import errors, selectors
from apps.catalog.models import Order, ProvisioningJob, ProvisioningStep
from apps.catalog.operations import carrying
from apps.catalog.rules.provisioning import ATTEMPTS_MAX
from apps.network import selectors as network
from apps.network.models import AccessAccount, AddressAssignment
from apps.ops import operations as ops
from apps.ops.models import Job, OutboxEvent
from dotmac.core.db import violated_constraint
from dotmac.core.refs import SubjectRef
from tests.catalog.shops import TODAY, make_active
from tests.catalog.steps import (
    EXPIRED,
    begin,
    carry,
    claim,
    exhaust,
    latest,
    perform,
    steps,
    told,
    try_claim,
)
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def test_a_queued_job_has_its_steps_and_is_told(shop, service, job):
    service.refresh_from_db()

    assert service.state == "provisioning"
    assert Order.objects.get().state == "fulfilling"
    assert steps(job) == [
        ("open_access", "waiting", 0),
        ("allocate_address", "waiting", 0),
        ("check", "waiting", 0),
    ]
    assert told()[-1] == "catalog.service.provisioning_queued.v1"
    seen = Job.objects.get(pk=job.job_id)
    assert (seen.kind, seen.state, seen.total, seen.customer_id) == (
        "catalog.provisioning",
        "queued",
        3,
        service.customer_id,
    )
    assert str(job) == f"provisioning {job.pk} of service {service.pk}"
    assert str(selectors.steps_of(job.pk)[0]) == f"{job.pk}.1 open_access"


def test_asking_again_returns_the_same_job(shop, service, job):
    before = len(told())

    again = shop.do.provision_service(service_id=service.pk)

    assert again.pk == job.job_id
    assert shop.do.retry_provisioning(job_id=job.pk).pk == job.job_id
    assert (Job.objects.count(), len(told())) == (1, before)


def test_one_worker_gets_the_job(job):
    held = claim(job)

    assert (held.job_id, held.claim) == (job.pk, 1)
    assert try_claim(job) is None
    assert try_claim(job, EXPIRED - timedelta(seconds=1)) is None
    assert claim(job, EXPIRED).claim == 2
    assert try_claim(type(job)(pk=0)) is None


def test_the_account_gets_the_password_and_the_service_keeps_none(service, job):
    name, answer = perform(claim(job))

    service.refresh_from_db()
    assert (name, answer.says) == ("open_access", "Account chidi is open.")
    assert (service.login, service.password) == (None, None)
    assert network.account_secret(service.access_id) == "rain-7-drum"
    assert selectors.service_view(service.pk).login == "chidi"
    assert Job.objects.get(pk=job.job_id).percent == 0


def test_the_address_comes_from_the_plans_pool(service, job):
    held = claim(job)
    perform(held)
    name, answer = perform(held)

    service.refresh_from_db()
    (address,) = network.account_view(service.access_id).addresses
    assert (name, answer.says) == ("allocate_address", f"{address} from home.")
    assert Job.objects.get(pk=job.job_id).percent == 33


def test_no_address_is_taken_where_the_nas_chooses(shop, world):
    nas_side = shop.net.create_pool(name="onnas", mode="nas", framed_pool="home")
    for pool_id in (None, nas_side.pk):
        plan = shop.do.create_plan(
            slug=f"p{pool_id}", name="P", profile_id=shop.profile.pk, pool_id=pool_id
        )
        shop.do.set_price(
            plan_id=plan.pk, currency="NGN", amount=Decimal(1), valid_from=TODAY
        )
        service = shop.do.order_service(
            customer_id=world.dayo.customer.pk, plan_id=plan.pk
        )
        active = make_active(shop, service)

        job = latest(active)
        address = selectors.steps_of(job.pk)[1]
        assert (address.state, address.answer) == (
            "skipped",
            "The NAS chooses the address.",
        )
    assert not AddressAssignment.objects.exists()


def test_a_step_that_is_done_already_changes_nothing(service, job):
    held = claim(job)
    perform(held)
    service.refresh_from_db()
    again = carrying.perform_step(held=held, name="open_access", actor=SYSTEM, now=NOON)

    assert again.says == "The account is open."
    assert AccessAccount.objects.count() == 1


def test_a_worker_that_was_thought_dead_writes_nothing(service, job):
    old = claim(job)
    name = begin(old)
    new = claim(job, EXPIRED)

    for act in (
        lambda: begin(old),
        lambda: carrying.perform_step(held=old, name=name, actor=SYSTEM, now=NOON),
        lambda: carrying.fail_step(
            held=old, name=name, says="x", actor=SYSTEM, now=NOON
        ),
        lambda: carrying.postpone_step(held=old, name=name, says="x", now=NOON),
    ):
        with pytest.raises(errors.LeaseLost), transaction.atomic():
            act()
    assert not AccessAccount.objects.exists()
    assert perform(new, EXPIRED)[0] == "open_access"


def test_carrying_gives_way_to_the_newer_worker(job):
    looks = []

    def clock():
        looks.append(NOON)
        if len(looks) == 3:  # between the first step's beginning and its end
            ProvisioningJob.objects.filter(pk=job.pk).update(claim=9)
        return NOON

    carrying.carry_provisioning(job_id=job.pk, actor=SYSTEM, clock=clock)

    assert steps(job)[0] == ("open_access", "waiting", 1)
    assert not AccessAccount.objects.exists()


def test_carrying_a_job_that_somebody_carries_does_nothing(job):
    claim(job)
    carry(job)
    assert steps(job)[0] == ("open_access", "waiting", 0)


def test_a_refused_step_stops_the_job_and_can_be_retried_from_there(
    shop, world, service, job
):
    last, *_ = exhaust(shop)

    carry(job)

    job.refresh_from_db()
    seen = Job.objects.get(pk=job.job_id)
    assert (job.state, seen.state, seen.percent) == ("failed", "failed", 33)
    assert seen.error == "allocate_address: The pool has no free address."
    assert steps(job) == [
        ("open_access", "done", 1),
        ("allocate_address", "failed", 1),
        ("check", "waiting", 0),
    ]
    failed = OutboxEvent.objects.get(name="catalog.service.provisioning_failed.v1")
    assert (failed.data["step"], failed.data["answer"]) == (
        "allocate_address",
        "The pool has no free address.",
    )
    service.refresh_from_db()
    assert (service.state, service.access_id is None) == ("provisioning", False)

    later = NOON + timedelta(hours=3)
    shop.net.release_address(account_id=last.pk)
    again = shop.do.provision_service(service_id=service.pk, now=later)

    job.refresh_from_db()
    assert again.pk == job.job_id != seen.pk
    assert (job.state, job.finished_at) == ("queued", None)
    held = claim(job, later)
    name, answer = perform(held, later)
    assert name == "allocate_address"
    assert answer.says.endswith("from home.")
    assert AccessAccount.objects.filter(login="chidi").count() == 1


def test_a_login_that_was_taken_meanwhile_is_an_answer(shop, service, job):
    shop.net.open_access(login="chidi", password="other1", profile_id=shop.profile.pk)

    carry(job)

    assert steps(job)[0][1] == "failed"
    assert selectors.steps_of(job.pk)[0].answer == "This login is in use."


def test_an_unanswered_step_waits_and_is_tried_again(job):
    held = claim(job)
    name = begin(held)
    carrying.postpone_step(held=held, name=name, says="No answer.", now=NOON)

    job.refresh_from_db()
    assert (job.state, job.due_at) == ("queued", NOON + timedelta(seconds=5))
    assert selectors.steps_of(job.pk)[0].answer == "No answer."
    assert try_claim(job) is None
    assert selectors.due_provisioning_jobs(now=NOON) == []
    due = NOON + timedelta(seconds=5)
    assert selectors.due_provisioning_jobs(now=due) == [job.pk]
    assert claim(job, due).claim == 2


def test_a_step_that_ends_every_worker_fails_in_the_end(service, job):
    now = NOON
    for _ in range(ATTEMPTS_MAX):
        assert begin(claim(job, now), now) == "open_access"
        now += carrying.LEASE

    carry(job, now)

    job.refresh_from_db()
    assert job.state == "failed"
    answer = selectors.steps_of(job.pk)[0].answer
    assert answer == f"Tried {ATTEMPTS_MAX} times, the last answer: none"


def test_refuses_services_that_do_not_wait(shop, world, service):
    with pytest.raises(errors.UnknownService):
        shop.do.provision_service(service_id=0)
    shop.do.terminate_service(service_id=service.pk)
    with pytest.raises(errors.ServiceNotPending) as refused:
        shop.do.provision_service(service_id=service.pk)
    assert refused.value.facts == {"state": "terminated"}


def test_refuses_an_active_service_without_a_job(shop, service):
    """As bulk loading makes them."""
    make_active(shop, service)
    ProvisioningStep.objects.all().delete()
    ProvisioningJob.objects.all().delete()

    with pytest.raises(errors.ServiceNotPending):
        shop.do.provision_service(service_id=service.pk)


def test_the_database_allows_one_unfinished_job_a_service(service, job):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ProvisioningJob.objects.create(
            job=ops.start_job(
                kind="x", subject=told_subject(service), actor=SYSTEM, now=NOON
            ),
            service=service,
            due_at=NOON,
        )
    name = violated_constraint(refused.value)
    assert name == "catalog_provisioningjob_one_unfinished"


def told_subject(service):
    return SubjectRef("catalog", "service", service.pk)


def test_only_those_in_reach_see_the_job(world, job):
    def seen(person):
        rows = selectors.provisioning_jobs_visible_to(
            person.actor, "catalog.view_service"
        )
        return list(rows)

    assert seen(world.nuru) == seen(world.chidi) == [job]
    assert seen(world.esi) == seen(world.remi) == []
    rows = selectors.provisioning_jobs_visible_to(world.chidi.actor, "catalog.manage")
    assert list(rows) == []
