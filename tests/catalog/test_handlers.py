"""A queued job reaches a worker: event, outbox, broker."""

import json

import pytest
import redis
from django.conf import settings

from apps.catalog.models import ProvisioningJob
from apps.ops import operations as ops
from tests.catalog.shops import LATER, build_shop, ordered
from tests.world import World

pytestmark = pytest.mark.integration


def test_the_event_hands_the_job_to_a_worker(own_database):
    world, shop = World(), build_shop()
    service = ordered(shop, world.chidi)
    shop.do.provision_service(service_id=service.pk)
    job = ProvisioningJob.objects.get()
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("dotmac.urgent")
        while ops.deliver_next(subject_key=f"catalog.service:{service.pk}", now=LATER):
            pass
        sent = [json.loads(text) for text in broker.lrange("dotmac.urgent", 0, -1)]
        broker.delete("dotmac.urgent")

    (task,) = [t for t in sent if t["headers"]["task"] == "catalog.run_provisioning"]
    assert f'"job_id": {job.pk}' in task["headers"]["kwargsrepr"].replace("'", '"')
