"""The shop of shops.py, in a rolled-back database."""

import pytest


@pytest.fixture
def shop(world):
    from tests.catalog.shops import build_shop

    return build_shop()


@pytest.fixture
def service(shop, world):
    """Waits to be provisioned."""
    return shop.do.order_service(
        customer_id=world.chidi.customer.pk,
        plan_id=shop.plan.pk,
        login="chidi",
        password="rain-7-drum",
    )


@pytest.fixture
def job(shop, service):
    """The service's provisioning, queued."""
    from apps.catalog.models import ProvisioningJob

    shop.do.provision_service(service_id=service.pk)
    return ProvisioningJob.objects.get(service=service)
