"""Giving a job up: by hand, by the watched job, after a day."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.catalog import errors
from apps.catalog.models import Order, ProvisioningJob, Service
from apps.catalog.operations import carrying
from apps.network import selectors as network
from apps.network.models import AccessAccount
from apps.ops import operations as ops
from apps.ops.models import Job
from dotmac.core.models import open_sealed
from tests.catalog.shops import LATER, make_active
from tests.catalog.steps import (
    EXPIRED,
    begin,
    carry,
    claim,
    conclude,
    exhaust,
    latest,
    perform,
    steps,
    told,
)
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def test_giving_up_undoes_what_was_done(shop, service, job):
    held = claim(job)
    perform(held)
    perform(held)
    service.refresh_from_db()
    account_id = service.access_id

    given_up = shop.do.cancel_provisioning(job_id=job.pk, now=LATER)

    service.refresh_from_db()
    assert given_up.state == "cancelled"
    assert (service.state, service.access_id, service.login) == (
        "pending",
        None,
        "chidi",
    )
    assert open_sealed(service, "password") == "rain-7-drum"
    account = network.account_view(account_id)
    assert (account.state, account.addresses) == ("closed", [])
    assert [state for _, state, _ in steps(job)] == ["undone", "undone", "waiting"]
    assert Order.objects.get().state == "accepted"
    assert Job.objects.get(pk=job.job_id).state == "cancelled"
    assert told()[-1] == "catalog.service.provisioning_cancelled.v1"
    with pytest.raises(errors.LeaseLost), transaction.atomic():
        begin(held)

    count = len(told())
    assert shop.do.cancel_provisioning(job_id=job.pk).state == "cancelled"
    assert len(told()) == count
    with pytest.raises(errors.ProvisioningNotFailed):
        shop.do.retry_provisioning(job_id=job.pk)

    assert make_again(shop, service).state == "active"


def make_again(shop, service):
    second = shop.do.provision_service(service_id=service.pk, now=LATER)
    job = ProvisioningJob.objects.get(job_id=second.pk)
    held = claim(job, LATER)
    perform(held, LATER)
    perform(held, LATER)
    conclude(held, LATER)
    return Service.objects.get(pk=service.pk)


def test_a_worker_that_was_about_to_ask_radius_stops(shop, service, job):
    held = claim(job)
    perform(held)
    perform(held)
    begin(held)
    shop.do.cancel_provisioning(job_id=job.pk)

    with pytest.raises(errors.LeaseLost):
        carrying._check(held)


def test_nobody_gives_up_what_succeeded_or_never_was(shop, service):
    make_active(shop, service)
    job = latest(service)

    with pytest.raises(errors.ProvisioningFinished):
        shop.do.cancel_provisioning(job_id=job.pk)
    with pytest.raises(errors.ProvisioningNotFailed):
        shop.do.retry_provisioning(job_id=job.pk)
    with pytest.raises(errors.UnknownProvisioningJob):
        shop.do.cancel_provisioning(job_id=0)
    assert shop.do.provision_service(service_id=service.pk).pk == job.job_id


def test_somebody_may_ask_the_watched_job_to_stop(service, job):
    perform(claim(job))
    ops.cancel_job(job_id=job.job_id, actor=SYSTEM, now=NOON)

    carry(job, EXPIRED)

    job.refresh_from_db()
    service.refresh_from_db()
    assert (job.state, service.state) == ("cancelled", "pending")
    assert Job.objects.get(pk=job.job_id).state == "cancelled"
    assert not AccessAccount.objects.filter(closed_at=None).exists()


def test_a_queued_job_that_was_cancelled_in_the_list_is_given_up(service, job):
    ops.cancel_job(job_id=job.job_id, actor=SYSTEM, now=NOON)
    carry(job)

    job.refresh_from_db()
    assert (job.state, Service.objects.get().state) == ("cancelled", "pending")


def test_failures_that_nobody_retried_are_given_up_after_a_day(shop, world, job):
    exhaust(shop)
    carry(job)
    day = timedelta(hours=24)

    assert shop.do.cancel_stale_provisioning(now=NOON + day) == 0
    assert shop.do.cancel_stale_provisioning(now=NOON + day + LATER.resolution) == 1

    job.refresh_from_db()
    assert job.state == "cancelled"
    assert Service.objects.get(pk=job.service_id).state == "pending"
    assert not AccessAccount.objects.filter(login="chidi", closed_at=None).exists()
