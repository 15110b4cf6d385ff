"""One suite, two servers: FreeRADIUS and ours answer the same packets alike.

pytest reads this file before Django's settings are known, so what needs models
is imported by the fixtures.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from tests import environment


@pytest.fixture(scope="session")
def radius_database(django_db_setup, django_db_blocker):
    """A database for the whole suite: tests have logins and NASes of their own."""
    name = f"dotmac_radius_{uuid.uuid4().hex[:12]}"
    environment.clone_database(name)
    yield name
    environment.drop_database(name)


@pytest.fixture(scope="session", params=["freeradius", "embedded"])
def server(request, radius_database, django_db_blocker, tmp_path_factory):
    """The server under test, with the NAS 127.0.0.1 known to it."""
    from apps.network.models import Nas
    from tests.conformance import isp

    url = os.environ["RADIUS_DATABASE_URL"].rsplit("/", 1)[0] + f"/{radius_database}"
    folder = tmp_path_factory.mktemp(request.param)
    isp.make_certificates(folder)
    env = isp.server_environment(url, Path(os.environ["DOTMAC_TEST_FOLDER"]))
    with isp.pointed_to(radius_database, django_db_blocker):
        if not Nas.objects.filter(address="127.0.0.1").exists():
            isp.make_nas("127.0.0.1")
    running = isp.start_server(request.param, folder, env, isp.SECRET)
    try:
        running.wait()
        yield running
    finally:
        running.child.stop()


@pytest.fixture
def isp(server, radius_database, django_db_blocker):
    """An ISP with one NAS; every test makes the accounts that it needs."""
    from tests.conformance.isp import Isp, pointed_to

    with pointed_to(radius_database, django_db_blocker):
        yield Isp(server.client)


@pytest.fixture
def phone(server, isp):
    """A phone on a Wi-Fi with logins, set up as docs/radius.md says."""
    from tests.conformance.isp import SECRET, SERVER_NAME
    from tests.conformance.supplicant import Phone

    ca = server.child.log.parent / "radius-certificates" / "ca.pem"
    # A name outside of its own: what is noted under it is seen.
    outer = f"outside-{uuid.uuid4().hex}"
    return Phone(isp.client.auth_port, SECRET, ca, SERVER_NAME, anonymous=outer)
