import time

import pytest
from django.db import connections

from dotmac.gateway import components

pytestmark = pytest.mark.integration


@pytest.mark.django_db(transaction=False)
@pytest.mark.usefixtures("own_database")
def test_names_each_dependency(client):
    answer = client.get("/health")
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {
        "status", "timestamp", "version", "dependencies", "components",
    }  # fmt: skip
    assert body["dependencies"]["database"] == "healthy"
    assert body["dependencies"]["redis"] == "healthy"
    assert set(body["dependencies"]["external_apis"]) == {"payment_gateway", "mail"}
    # Nothing listens for mail here: said, but no reason to be taken out of service.
    assert body["status"] == "degraded"
    assert soon_ready(client)


def soon_ready(client):
    """Reading all migrations for the first time may take longer than it is given."""
    for _ in range(20):
        if client.get("/health/ready").status_code == 200:
            return True
        time.sleep(0.5)
    return False


@pytest.mark.usefixtures("own_database")
def test_a_lost_database_is_unready_but_alive(client, settings):
    connection = connections["default"]
    connection.close()
    right = connection.settings_dict["PORT"]
    settings.DATABASES["default"]["PORT"] = connection.settings_dict["PORT"] = "9"
    try:
        components.applied_once.cache_clear()
        assert client.get("/health/live").json() == {"status": "alive"}
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (
            503,
            "unreachable",
        )
        assert client.get("/health").json()["status"] == "unhealthy"
    finally:
        settings.DATABASES["default"]["PORT"] = connection.settings_dict["PORT"] = right
        connection.close()
