"""The check sends a real Access-Request to a real server, both kinds of it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from apps.catalog import selectors
from apps.catalog.models import Order, ProvisioningJob, Service, ServicePlanPeriod
from apps.catalog.operations import carrying
from apps.catalog.tasks import resume_provisioning, run_provisioning
from apps.network.models import AccessAccount
from apps.ops.models import Job, OutboxEvent
from apps.ops.selectors import business_date
from dotmac.devtools.servers import free_port
from tests.catalog.radius import listening
from tests.catalog.shops import broken_invariants, build_shop
from tests.catalog.steps import claim, perform
from tests.world import SYSTEM, World

pytestmark = pytest.mark.integration


@pytest.fixture
def isp(own_database):
    world, shop = World(), build_shop()
    service = shop.do.order_service(
        customer_id=world.chidi.customer.pk,
        plan_id=shop.plan.pk,
        login="o'brien+home",
        password='"quoted" \\ %{User-Name} é',
    )
    shop.do.provision_service(service_id=service.pk, now=timezone.now())
    job = ProvisioningJob.objects.get(service=service)
    return SimpleNamespace(world=world, shop=shop, service=service, job=job)


@pytest.fixture
def radius(isp, tmp_path, settings):
    with listening("embedded", tmp_path, settings) as server:
        yield server


def answers(job):
    return [(s.name, s.state, s.answer) for s in selectors.steps_of(job.pk)]


@pytest.mark.parametrize("kind", ["freeradius", "embedded"])
def test_a_service_that_radius_lets_in_is_active(isp, tmp_path, settings, kind):
    with listening(kind, tmp_path, settings):
        run_provisioning(job_id=isp.job.pk)

    view = selectors.service_view(isp.service.pk)
    (address,) = view.addresses
    assert answers(isp.job) == [
        ("open_access", "done", "Account o'brien+home is open."),
        ("allocate_address", "done", f"{address} from home."),
        ("check", "done", f"Access-Accept with 20000/10000 kbit/s and {address}."),
    ]
    today = business_date(now=timezone.now())
    assert (view.state, view.active_from_date) == ("active", today)
    period = ServicePlanPeriod.objects.get()
    assert (period.plan_id, period.start_date, period.end_date) == (
        isp.shop.plan.pk,
        today,
        None,
    )
    assert str(period) == f"{isp.service.pk}: {isp.shop.plan.pk} from {today}"
    isp.world.chidi.customer.refresh_from_db()
    assert isp.world.chidi.customer.state == "active"
    assert Order.objects.get().state == "fulfilled"
    seen = Job.objects.get()
    assert (seen.state, seen.percent) == ("succeeded", 100)
    names = list(OutboxEvent.objects.values_list("name", flat=True))
    assert names.count("catalog.service.activated.v1") == 1
    assert broken_invariants() == []

    run_provisioning(job_id=isp.job.pk)
    assert OutboxEvent.objects.count() == len(names)


def test_silence_is_tried_again_until_it_answers(isp, tmp_path, settings):
    settings.RADIUS_AUTH_PORT = free_port()
    run_provisioning(job_id=isp.job.pk)

    isp.job.refresh_from_db()
    assert isp.job.state == "queued"
    assert answers(isp.job)[2] == (
        "check",
        "waiting",
        "The RADIUS server did not answer.",
    )
    assert Service.objects.get().state == "provisioning"
    assert broken_invariants() == []

    with listening("embedded", tmp_path, settings):
        later = timezone.now() + timedelta(minutes=5)
        carrying.carry_provisioning(
            job_id=isp.job.pk, actor=SYSTEM, clock=lambda: later
        )
    assert Service.objects.get().state == "active"


def test_a_speed_that_differs_from_the_order_is_refused(isp, radius):
    other = isp.shop.net.create_rate_profile(name="5M", down_kbps=5_000, up_kbps=5_000)
    held = claim(isp.job, timezone.now())
    perform(held, timezone.now())
    perform(held, timezone.now())
    account = AccessAccount.objects.get()
    isp.shop.net.change_access(account_id=account.pk, profile_id=other.pk)
    resume(isp.job)

    isp.job.refresh_from_db()
    assert isp.job.state == "failed"
    assert answers(isp.job)[2][2] == (
        "Accepted, but speed ordered 20000/10000 kbit/s, "
        "RADIUS gives 5000/5000 kbit/s."
    )
    assert Service.objects.get().state == "provisioning"

    isp.shop.net.change_access(account_id=account.pk, profile_id=isp.shop.profile.pk)
    isp.shop.do.retry_provisioning(job_id=isp.job.pk, now=timezone.now())
    run_provisioning(job_id=isp.job.pk)
    assert Service.objects.get().state == "active"


def resume(job):
    later = timezone.now() + carrying.LEASE
    carrying.carry_provisioning(job_id=job.pk, actor=SYSTEM, clock=lambda: later)


def test_a_login_that_radius_refuses_is_not_activated(isp, radius):
    perform(claim(isp.job, timezone.now()), timezone.now())
    account = AccessAccount.objects.get()
    isp.shop.net.place_hold(account_id=account.pk, reason="abuse", effect="reject")
    resume(isp.job)

    assert answers(isp.job)[2] == (
        "check",
        "failed",
        "The RADIUS server refused the login.",
    )
    assert Service.objects.get().state == "provisioning"


def test_the_sweep_hands_waiting_jobs_to_workers(isp, radius):
    with redis.Redis.from_url(django_settings.REDIS_URL) as broker:
        broker.delete("dotmac.urgent")
        assert resume_provisioning() == 1
        assert broker.llen("dotmac.urgent") == 1
        broker.delete("dotmac.urgent")
    assert Service.objects.get().state == "provisioning"
