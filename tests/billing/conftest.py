"""What tests of billing share."""

import pytest

from tests.billing.gateway import gateway

__all__ = ["gateway"]


@pytest.fixture
def shop(world):
    from tests.catalog.shops import build_shop

    return build_shop()


@pytest.fixture
def dayo(world, shop):
    """A customer with an active service."""
    from tests.billing.dunned import subscribe

    return subscribe(world.dayo.customer, shop, "dayo-line")
