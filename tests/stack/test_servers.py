"""The embedded servers, their roles and what those may not do."""

import os
import stat
from pathlib import Path

import psycopg
import pytest
import redis

from dotmac.devtools import bootstrap, servers
from dotmac.devtools.bootstrap import APP, OWNER, RADIUS, ROLES
from dotmac.devtools.refusals import Refused
from dotmac.devtools.servers import Postgres, Valkey

pytestmark = pytest.mark.integration
QUICK = {"fsync": "off"}


@pytest.fixture
def postgres(tmp_path):
    server = Postgres(tmp_path / "postgres", settings=QUICK)
    server.start()
    yield server
    server.stop()


def test_a_cluster_half_made_by_a_killed_start_is_made_anew(tmp_path):
    half = tmp_path / "postgres.part"
    half.mkdir()
    (half / "PG_VERSION").write_text("17")
    server = Postgres(tmp_path / "postgres", settings=QUICK)
    server.start()
    try:
        assert server.answers()
        assert not half.exists()
    finally:
        server.stop()
    assert server.child
    assert server.child.exit_code == 0


def test_a_killed_server_comes_back_with_what_was_committed(tmp_path):
    first = Postgres(tmp_path / "postgres")
    first.start()
    with psycopg.connect(first.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill()

    again = Postgres(tmp_path / "postgres", password=first.password)
    again.start()
    try:
        with psycopg.connect(again.url("postgres")) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        again.stop()


def test_a_server_that_cannot_start_says_what_its_log_says(tmp_path):
    server = Postgres(tmp_path / "postgres", settings={"shared_buffers": "nonsense"})
    with pytest.raises(Refused, match="PostgreSQL did not start"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="a normal user is nobody already")
def test_root_without_namespaces_runs_it_as_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "_NAMESPACE", ["false"])
    servers._identity.cache_clear()
    servers._engine.cache_clear()
    try:
        server = Postgres(tmp_path / "private" / "postgres", settings=QUICK)
        (tmp_path / "private").mkdir(mode=0o700, exist_ok=True)
        server.start()
        assert server.child
        uid = Path(f"/proc/{server.child.pid}").stat().st_uid
        server.stop()
        assert uid == 65534
        servers.remove_data(tmp_path / "private" / "postgres")
        assert not server.home.exists()
    finally:
        servers._identity.cache_clear()
        servers._engine.cache_clear()


def test_valkey_wants_its_password_and_nobody_sees_it(tmp_path):
    server = Valkey(tmp_path / "valkey", password="a-secret-word")
    server.start()
    try:
        with (
            redis.Redis(port=server.port) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        assert server.child
        line = Path(f"/proc/{server.child.pid}/cmdline").read_text()
        assert "a-secret-word" not in line
        mode = (tmp_path / "valkey" / "valkey.conf").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        with redis.Redis.from_url(server.url()) as client:
            assert client.config_get("maxmemory-policy") == {
                "maxmemory-policy": "noeviction"
            }
    finally:
        server.stop()


def test_the_password_and_statements_stay_out_of_the_log(postgres):
    with (
        psycopg.connect(postgres.url("postgres"), autocommit=True) as connection,
        pytest.raises(psycopg.errors.UndefinedFunction),
    ):
        connection.execute("SELECT no_such_function('a-subscribers-password')")
    log = postgres.log.read_text()
    assert "a-subscribers-password" not in log
    assert postgres.password not in log


def test_every_role_may_do_its_own_and_no_more(postgres):
    words = {role: f"{role}/:@word" for role in ROLES}
    bootstrap.bootstrap(postgres.url("postgres"), words)
    made = bootstrap.bootstrap(postgres.url("postgres"), words)  # harmless

    with psycopg.connect(made.owner, autocommit=True) as owner:
        owner.execute("CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY)")
        owner.execute(
            "CREATE FUNCTION answer() RETURNS int LANGUAGE sql SECURITY DEFINER"
            " AS 'SELECT 42'"
        )
        rows = owner.execute("SELECT extname FROM pg_extension").fetchall()
        assert {row[0] for row in rows} >= set(bootstrap.EXTENSIONS)
        roles = owner.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND"
            " (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)",
            [list(ROLES)],
        ).fetchall()
        assert roles == []

    allowed = "SELECT similarity('a', 'a')", "INSERT INTO things DEFAULT VALUES"
    refused = {
        APP: (
            "CREATE TABLE mine (id int)",
            "CREATE TEMP TABLE mine (id int)",
            "SELECT answer()",
            "SELECT digest('x', 'sha256')",
            "DROP TABLE things",
            f"SET ROLE {OWNER}",
            "COPY things TO PROGRAM 'true'",
        ),
        RADIUS: (
            "SELECT * FROM things",
            "SELECT answer()",
            "CREATE TABLE mine (id int)",
            "CREATE TEMP TABLE mine (id int)",
            f"SET ROLE {APP}",
            "SELECT pg_read_file('/etc/passwd')",
        ),
    }
    with psycopg.connect(made.app, autocommit=True) as app:
        for statement in allowed:
            app.execute(statement)
    for role, address in ((APP, made.app), (RADIUS, made.radius)):
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in refused[role]:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
