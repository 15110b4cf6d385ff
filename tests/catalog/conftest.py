"""The shop of shops.py, in a rolled-back database."""

import pytest


@pytest.fixture
def shop(world):
    from tests.catalog.shops import build_shop

    return build_shop()
