"""PostgreSQL stopped: silence, never a reject; and back without a restart."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests import environment
from tests.conformance import isp as world
from tests.conformance import outage
from tests.conformance.supplicant import Phone
from tests.programs import RADIUS_SERVER, need

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """A PostgreSQL of this module's own, with one NAS and two accounts."""
    with outage.own_postgres(tmp_path_factory.mktemp("own")) as server:
        yield server


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


def test_buffered_accounting_survives_the_outage_and_a_kill(postgres, tmp_path):
    """300 packets a second; the whole minute is in tests/faults."""
    found = outage.storm_without_postgres(postgres, tmp_path, seconds=4, rate=300)

    assert found.logins == [""] * len(found.logins)
    assert found.statuses == [False, True], "Accounting alone is taken."
    assert (found.results.lost, found.results.unexpected) == (0, 0)
    outage.assert_all_there_once(postgres, found)


def test_the_embedded_server_buffers_as_well(postgres, tmp_path):
    """It is not killed: what it knows of NASes is in its memory."""
    found = outage.storm_without_postgres(
        postgres, tmp_path, seconds=2, rate=100, kind="embedded"
    )

    assert found.logins == [""] * len(found.logins)
    assert found.statuses == [False, True], "Accounting alone is taken."
    assert (found.results.lost, found.results.unexpected) == (0, 0)
    outage.assert_all_there_once(postgres, found)


def test_a_site_that_is_cut_off_goes_on_with_its_snapshot(postgres, tmp_path):
    url = environment.database_environment(postgres.port, "outage")
    env = world.server_environment(
        url["RADIUS_DATABASE_URL"], Path(os.environ["DOTMAC_TEST_FOLDER"])
    )
    path = outage.write_snapshot(postgres, tmp_path, env)
    more = ("--accounting=buffered", f"--snapshot={path}")
    postgres.stop()
    server = world.start_server("embedded", tmp_path, env, world.SECRET, *more)
    eve = {"User_Name": "eve", "User_Password": "pw", "wait_s": 1}
    try:
        deadline = time.monotonic() + 15
        while server.client.auth(**eve).silent:
            assert time.monotonic() < deadline, server.child.log.read_text()[-2000:]
        known = server.client.auth(**eve)
        wrong = server.client.auth(User_Name="eve", User_Password="no", wait_s=1)
        new = server.client.auth(User_Name="new", User_Password="pw", wait_s=1)
        told = server.client.acct("Start", User_Name="eve", Acct_Session_Id="9")
        path.write_bytes(path.read_bytes() + b"x")
        changed = server.client.auth(**eve)
    finally:
        server.child.stop()
        postgres.start()

    assert known.accepted
    assert "Class" in known.attributes
    assert (wrong.rejected, new.silent, changed.silent) == (True, True, True)
    assert told.kind == "Accounting-Response"
    noted = "".join(file.read_text() for file in (tmp_path / "decisions").iterdir())
    assert " accept cached 127.0.0.1 " in noted


@pytest.mark.parametrize("kind", ["freeradius", "embedded"])
def test_the_next_host_is_asked_when_one_goes_dark(postgres, kind, tmp_path):
    """As after a failover: the address that answers is another one."""
    with outage.Door(postgres.port) as first, outage.Door(postgres.port) as second:
        url = environment.database_environment(postgres.port, "outage")
        hosts = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
        env = world.server_environment(
            url["RADIUS_DATABASE_URL"].replace(f"127.0.0.1:{postgres.port}", hosts),
            Path(os.environ["DOTMAC_TEST_FOLDER"]),
        )
        server = world.start_server(kind, tmp_path, env, world.SECRET)
        ada = {"User_Name": "ada", "User_Password": "pw"}
        try:
            server.wait()
            assert server.client.auth(**ada).accepted
            assert (first.taken > 0, second.taken) == (True, 0)
            first.close()
            deadline = time.monotonic() + 10
            while not (back := server.client.auth(**ada, wait_s=1)).accepted:
                assert back.silent, "A reject after the failover."
                assert time.monotonic() < deadline
        finally:
            server.child.stop()
        assert second.taken > 0
