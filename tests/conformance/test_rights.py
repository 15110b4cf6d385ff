"""Role radius may execute its functions. Nothing else, whatever it tries."""

from __future__ import annotations

import os

import psycopg
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.security]

MAY_CALL = {
    "radius_access_request",
    "radius_accounting",
    "radius_accounting_request",
    "radius_authorize",
    "radius_clients",
    "radius_text",
}


@pytest.fixture(scope="module")
def as_radius(radius_database):
    with _connect("RADIUS_DATABASE_URL", radius_database) as connection:
        yield connection


@pytest.fixture(scope="module")
def as_app(radius_database):
    with _connect("DATABASE_URL", radius_database) as connection:
        yield connection


def _connect(variable: str, database: str) -> psycopg.Connection:
    url = os.environ[variable].rsplit("/", 1)[0]
    return psycopg.connect(f"{url}/{database}", autocommit=True)


def _callable_functions(connection) -> set[str]:
    """Functions of ours, and those of extensions, outside the system's schemas."""
    rows = connection.execute("""
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND has_schema_privilege(n.oid, 'USAGE')
           AND has_function_privilege(p.oid, 'EXECUTE')
        """)
    return {name for (name,) in rows}


def test_it_may_call_its_functions_and_no_other(as_radius):
    assert _callable_functions(as_radius) == MAY_CALL


def test_the_applications_role_may_call_none_of_them(as_app):
    ours = {n for n in _callable_functions(as_app) if n.startswith(("radius_", "dot"))}

    assert ours == set()


def test_it_has_no_right_on_any_relation_or_column(as_radius):
    rights = as_radius.execute("""
        SELECT c.relname, r.name FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) r(name)
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND has_any_column_privilege(c.oid, r.name)
        UNION ALL
        SELECT c.relname, r.name FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN unnest(ARRAY['DELETE', 'TRUNCATE', 'TRIGGER']) r(name)
         WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname = 'public'
           AND has_table_privilege(c.oid, r.name)
        UNION ALL
        SELECT c.relname, 'USAGE' FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'S' AND n.nspname = 'public'
           AND (has_sequence_privilege(c.oid, 'USAGE')
                OR has_sequence_privilege(c.oid, 'SELECT'))
        """).fetchall()

    assert [right for right in rights if not right[0].startswith("pg_stat_st")] == []


ATTEMPTS = [
    "SELECT * FROM network_accessaccount",
    "SELECT secret FROM network_nas",
    "TABLE network_sessionlive",
    "INSERT INTO network_coarequest DEFAULT VALUES",
    "UPDATE network_sessionlive SET login = ''",
    "DELETE FROM network_usagehour",
    "TRUNCATE network_sessionlive",
    "COPY network_nas TO STDOUT",
    "DO $$ BEGIN LOCK TABLE network_nas; END $$",
    "CREATE TABLE public.mine (x int)",
    "CREATE TEMP TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION postgres_fdw",
    "SELECT dotmac_unseal('\\x01', 'x')",
    "SELECT network_edge_rate(1, 1)",
    "SELECT network_access_state(1, now())",
    "SELECT network_ensure_session_partitions('2030-01-01', '2030-02-01')",
    "SELECT decrypt_iv('\\x00', '\\x00', '\\x00', 'aes')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'radius'",
    "SET ROLE dotmac_owner",
    "SET SESSION AUTHORIZATION dotmac_app",
    "ALTER ROLE radius SUPERUSER",
    "GRANT SELECT ON network_nas TO radius",
    "ALTER FUNCTION radius_text(text) OWNER TO radius",
    "SELECT setval('network_nas_id_seq', 1)",
    "SELECT lo_import('/etc/passwd')",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_it_is_refused(as_radius, attempt):
    with pytest.raises(psycopg.Error) as refusal:
        as_radius.execute(attempt).fetchall()

    assert refusal.value.sqlstate in {"42501", "0LP01"}, refusal.value


def test_a_table_of_its_own_cannot_stand_in_for_ours(as_radius):
    as_radius.execute("SET search_path = pg_temp, public")
    try:
        rows = as_radius.execute(
            "SELECT * FROM public.radius_authorize('nobody', '192.0.2.1')"
        ).fetchall()
    finally:
        as_radius.execute("RESET search_path")

    assert [row[2] for row in rows] == ["Tmp-String-0"]


def test_definer_functions_have_a_fixed_path_and_belong_to_the_owner(as_app):
    rows = as_app.execute("""
        SELECT p.proname, p.proconfig, pg_get_userbyid(p.proowner) FROM pg_proc p
          JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND n.nspname = 'public' ORDER BY 1
        """).fetchall()

    assert {name for name, _, _ in rows} >= MAY_CALL - {"radius_text"}
    for name, config, owner in rows:
        assert owner == "dotmac_owner", name
        assert any(line.startswith("search_path=") for line in config or []), name


def test_without_the_key_the_answer_is_an_error_and_not_a_decision(isp, as_radius):
    account = isp.account()

    with pytest.raises(psycopg.Error, match="key"):
        as_radius.execute(
            "SELECT * FROM radius_authorize(%s, '127.0.0.1')", [account.login]
        )
