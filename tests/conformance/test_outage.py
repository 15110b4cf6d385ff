"""PostgreSQL stopped: silence, never a reject; and back without a restart."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dotmac.devtools.bootstrap import ROLES, bootstrap
from dotmac.devtools.servers import Postgres
from tests import environment
from tests.conformance import isp as world
from tests.conformance.supplicant import Phone
from tests.programs import RADIUS_SERVER, need

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A PostgreSQL of this test's own, with one NAS and one account."""
    server = Postgres(
        tmp_path_factory.mktemp("own") / "postgres", settings={"fsync": "off"}
    )
    server.start()
    bootstrap(
        server.url("postgres"),
        dict.fromkeys(ROLES, environment.PASSWORD),
        database="outage",
    )
    urls = environment.database_environment(server.port, "outage")
    env = {**environment.untraced(), **urls}
    for command in (["migrate", "--verbosity", "0"], ["shell", "--command", _SEED]):
        subprocess.run(
            [sys.executable, environment.ROOT / "manage.py", *command],
            env=env,
            check=True,
            capture_output=True,
        )
    yield server
    server.stop()


_SEED = f"""
from django.utils import timezone
from apps.network import operations
from dotmac.core.actors import system_actor
facts = dict(actor=system_actor("seed"), now=timezone.now())
operations.create_nas(name="n", address="127.0.0.1", secret={world.SECRET!r}, **facts)
speed = operations.create_rate_profile(name="p", down_kbps=1, up_kbps=1, **facts)
operations.open_access(login="ada", password="pw", profile_id=speed.pk, **facts)
"""


@pytest.mark.parametrize("kind", ["freeradius", "embedded"])
def test_silence_while_the_database_is_away(postgres, kind, tmp_path):
    url = environment.database_environment(postgres.port, "outage")
    env = world.server_environment(
        url["RADIUS_DATABASE_URL"], Path(os.environ["DOTMAC_TEST_FOLDER"])
    )
    server = world.start_server(kind, tmp_path, env, world.SECRET)
    ada = {"User_Name": "ada", "User_Password": "pw"}
    try:
        server.wait()
        assert server.client.auth(**ada).accepted

        postgres.stop()
        away = [
            server.client.auth(**ada, wait_s=1),
            server.client.auth(User_Name="nobody", User_Password="x", wait_s=1),
            server.client.auth(User_Name="ada", User_Password="wrong", wait_s=1),
            server.client.acct("Start", User_Name="ada", Acct_Session_Id="1", wait_s=1),
        ]
        postgres.start()
        deadline = time.monotonic() + 10
        while not (back := server.client.auth(**ada, wait_s=1)).accepted:
            assert back.silent, "A reject after the outage."
            assert time.monotonic() < deadline
    finally:
        server.child.stop()

    assert [answer.kind for answer in away] == ["", "", "", ""]


def test_a_phone_meets_silence_while_the_database_is_away(postgres, tmp_path):
    """A failure would make it forget the password; silence makes it try again."""
    ca = world.make_certificates(tmp_path).path / "ca.pem"
    url = environment.database_environment(postgres.port, "outage")
    env = world.server_environment(
        url["RADIUS_DATABASE_URL"], Path(os.environ["DOTMAC_TEST_FOLDER"])
    )
    server = world.start_server("freeradius", tmp_path, env, world.SECRET)
    phone = Phone(
        server.client.auth_port, world.SECRET, ca, world.SERVER_NAME, b"ada", b"pw"
    )
    try:
        server.wait()
        before = phone.connect()
        postgres.stop()
        away = [phone.but(wait_s=2).connect() for _ in range(2)]
        postgres.start()
        deadline = time.monotonic() + 10
        while not (back := phone.but(wait_s=2).connect()).accepted:
            assert not back.code, "A failure after the outage."
            assert time.monotonic() < deadline
    finally:
        server.child.stop()
        if not postgres.answers():
            postgres.start()

    assert before.accepted
    assert [(each.accepted, each.code) for each in away] == [(False, 0)] * 2
    noted = "".join(path.read_text() for path in (tmp_path / "decisions").iterdir())
    # Of the probe while the server started, and of no phone.
    assert set(re.findall(r" reject (\S+) ", noted)) <= {"unknown"}


@pytest.mark.parametrize("kind", ["freeradius", "embedded"])
def test_the_server_starts_before_the_database_does(postgres, kind, tmp_path):
    if kind == "freeradius":
        need(*RADIUS_SERVER)
    url = environment.database_environment(postgres.port, "outage")
    env = world.server_environment(
        url["RADIUS_DATABASE_URL"], Path(os.environ["DOTMAC_TEST_FOLDER"])
    )
    postgres.stop()
    server = world.start_server(kind, tmp_path, env, world.SECRET)
    try:
        time.sleep(2)
        assert server.child.is_alive, server.child.log.read_text()
        postgres.start()
        server.wait()

        assert server.client.auth(User_Name="ada", User_Password="pw").accepted
    finally:
        server.child.stop()
        if not postgres.answers():
            postgres.start()
