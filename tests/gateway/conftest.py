"""Servers of a test's own: the limiter's Valkey is stopped, frozen and emptied."""

import pytest
import redis

from dotmac.devtools.servers import Valkey
from dotmac.gateway.limits import counter


@pytest.fixture(scope="module")
def module_valkey(tmp_path_factory):
    """One Valkey for the tests of a file."""
    server = Valkey(tmp_path_factory.mktemp("valkey") / "data", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(module_valkey):
    """It, empty and answering."""
    with redis.Redis.from_url(module_valkey.url()) as client:
        client.flushall()
    return module_valkey


@pytest.fixture
def redis_client(valkey):
    with redis.Redis.from_url(valkey.url()) as client:
        yield client


@pytest.fixture
def limited(settings, valkey):
    """The real policies, on a server that nobody else counts in."""
    settings.RATE_LIMIT_ENABLED = True
    settings.REDIS_URL = valkey.url()
    yield valkey
    forget_counter()


def forget_counter():
    """Close the connections of this process's counter."""
    counter.counter().close()
    counter._counter.cache_clear()
