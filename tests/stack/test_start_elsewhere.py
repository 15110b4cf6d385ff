"""Starts by a normal user, on a server of one's own, and on a Debian without FreeRADIUS."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from dotmac.devtools import outside
from dotmac.devtools.installation import open_installation
from dotmac.devtools.servers import Postgres
from tests.programs import RADIUS_SERVER, need
from tests.stack.starts import AS_NORMAL_USER, Start

pytestmark = pytest.mark.e2e


def health_of(start):
    return httpx.get(start.ready()["health_url"], timeout=20).status_code


def space_of(pid):
    return Path(f"/proc/{pid}/ns/user").readlink()


@pytest.mark.faults
def test_a_normal_user_needs_nothing_of_root(tmp_path):
    start = Start(tmp_path / "state", AS_NORMAL_USER if os.geteuid() == 0 else ())
    start.up()
    try:
        assert health_of(start) == 200
        children = start.children()
        # Nobody there is root, not even in a namespace that it made for PostgreSQL.
        spaces = {space_of(pid) for pid in children.values()}
        assert spaces == {space_of(start.supervisor)}
        for name, pid in children.items():
            mapped = Path(f"/proc/{pid}/uid_map").read_text().split()
            assert mapped == ["1000", "0", "1"] or os.geteuid() != 0, name
        assert {"PostgreSQL", "Valkey", "web", "worker", "radius"} <= set(children)
    finally:
        start.stop()


@pytest.fixture
def bare_server(tmp_path):
    """A PostgreSQL that has never heard of DotMac, with an empty database."""
    server = Postgres(tmp_path / "own", settings={"fsync": "off"})
    server.start()
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE isp")
    yield server
    server.stop()


@pytest.mark.faults
def test_a_superusers_address_is_leave_to_make_the_roles(bare_server, tmp_path):
    start, url = Start(tmp_path / "state"), bare_server.url("isp")
    redis_url = os.environ["REDIS_URL"].removesuffix("/0") + "/8"
    done = start.run(
        "--detach", "--demo", "0", "--port", "0", DATABASE_URL=url, REDIS_URL=redis_url
    )
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert health_of(start) == 200
        assert "PostgreSQL" not in start.children()
    finally:
        start.stop()

    told = json.loads((start.folder / "demo-credentials.json").read_text())
    assert urlsplit(told["database_url"]).username == "dotmac_app"
    assert urlsplit(told["database_url"]).path == "/isp"
    made = open_installation(start.folder)
    again = outside.database_addresses({"DATABASE_URL": url}, made)
    assert again.app == told["database_url"]
    for address, role in (
        (again.app, "dotmac_app"), (again.owner, "dotmac_owner"),
        (again.radius, "radius"),
    ):  # fmt: skip
        with psycopg.connect(address) as connection:
            powers = connection.execute(
                "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles"
                " WHERE rolname = current_user"
            ).fetchone()
            assert powers == (role, False)
    with psycopg.connect(url) as connection:
        owners = connection.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert owners == [("dotmac_owner",)]


FAKE_APT = """#!/bin/sh
echo "$DEBIAN_FRONTEND: $*" >> {log}
case "$*" in *" install "*)
    [ -e {broken} ] && echo "E: Unable to locate package freeradius-postgresql" >&2 && exit 100
    umount {hidden} ;;
esac
"""
HIDDEN = "/usr/lib/freeradius"


@pytest.fixture
def debian(tmp_path):
    """start.py as root on a Debian that lacks FreeRADIUS's module for PostgreSQL.

    An empty folder lies over the module, in a namespace of that process alone; the
    apt-get on its PATH writes down what it is asked, and takes the folder away.
    """
    need(*RADIUS_SERVER)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "apt-get"
    fake.write_text(
        FAKE_APT.format(
            log=tmp_path / "apt.log", broken=tmp_path / "broken", hidden=HIDDEN
        )
    )
    fake.chmod(0o755)
    hide = f'mount --bind {tmp_path / "empty"} {HIDDEN} && exec "$@"'
    own = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hide, "sh")
    return Start(tmp_path / "state", own)


def with_freeradius(start, folder, port):
    return start.run(
        "--install-freeradius", "--demo", "0", "--port", str(port),
        PATH=f"{folder / 'bin'}:{os.environ['PATH']}",
    )  # fmt: skip


def test_freeradius_is_fetched_from_debian_and_the_start_goes_on(
    debian, tmp_path, busy_port
):
    done = with_freeradius(debian, tmp_path, busy_port)

    update, install = (tmp_path / "apt.log").read_text().splitlines()
    assert update.startswith("noninteractive: ")
    assert update.endswith(" update")
    assert install.startswith("noninteractive: ")
    assert install.endswith(
        " install --yes --no-install-recommends freeradius-postgresql"
    )
    assert "✓ Installing freeradius-postgresql" in done.stdout
    # It came as far as any start: there the test has put a stone in its way.
    assert f"Port {busy_port} is in use" in done.stderr


def test_a_package_that_debian_does_not_have_is_a_sentence(debian, tmp_path):
    (tmp_path / "broken").touch()
    done = with_freeradius(debian, tmp_path, 0)
    assert done.returncode == 1
    assert "apt-get install failed" in done.stderr
    assert "Unable to locate package" in done.stderr
    assert "Traceback" not in done.stderr
    assert not debian.folder.exists()
