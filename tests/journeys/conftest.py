"""One installation for all journeys: a demonstration of 50, started as a newcomer does.

pytest reads this file before Django's settings are known, so the fixtures import.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

DEMO = 50
HERE = Path(__file__).resolve().parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The demonstration is looked at before the other journeys change it, in whatever
    order tests come."""
    places = [at for at, item in enumerate(items) if HERE in item.path.parents]
    ours = [items[at] for at in places]
    ours.sort(key=lambda item: item.path.name != "test_demonstration.py")
    for at, item in zip(places, ours, strict=True):
        items[at] = item


@pytest.fixture(scope="package")
def installation(tmp_path_factory):
    """Detached until the last journey, and gone without a trace afterwards."""
    from dotmac.devtools.servers import free_port
    from tests.journeys.installation import Installation

    whole = Installation(tmp_path_factory.mktemp("journey"), began=time.time())
    whole.start(demo=DEMO, port=free_port())
    yield whole
    whole.stop()
    assert not (whole.folder / "ready.json").exists()


@pytest.fixture(scope="package")
def radclient(installation):
    """Debian's radclient as the NAS that is kept free for programs."""
    from tests.conformance.radclient import RadClient

    radius, nas = installation.ready["radius"], installation.credentials["nas"]
    return RadClient(
        auth_port=radius["auth_port"],
        acct_port=radius["acct_port"],
        secret=nas["secret"],
        host=radius["host"],
    )


@pytest.fixture(scope="package")
def listener(installation):
    """That NAS's ear for Disconnect-Requests."""
    from tests.journeys.coa_listener import CoaListener

    nas = installation.credentials["nas"]
    with CoaListener(nas["address"], nas["coa_port"], nas["secret"]) as found:
        yield found


@pytest.fixture(scope="package")
def desk(installation):
    """The API as the owner, signed in once."""
    with installation.api("owner") as client:
        yield client
