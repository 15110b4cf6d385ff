"""Python and PostgreSQL open the same sealed values, and refuse the same."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from dotmac.core.crypto import Key, Keyring, SealBroken, session_options

VECTORS = json.loads((Path(__file__).parent / "crypto_vectors.json").read_text())
KEYS = [Key.derive(k["id"], bytes.fromhex(k["master"])) for k in VECTORS["keys"]]
RING = Keyring(KEYS)
sealed_cases = pytest.mark.parametrize(
    "case", VECTORS["sealed"], ids=lambda case: f"key{case['key']}-{case['table']}"
)
broken_cases = pytest.mark.parametrize(
    "case", VECTORS["broken"], ids=lambda case: case["why"].replace(" ", "-")
)


def _place(case: dict) -> str:
    return f"{case['table']}.{case['column']}:{case['row_id']}"


@pytest.fixture
def owner(db):
    """The owner's session, with all keys of the vectors."""
    settings = connections["owner"].settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        options=session_options(RING),
        autocommit=True,
    ) as connection:
        yield connection


def _unseal(connection, case):
    row = connection.execute(
        "SELECT dotmac_unseal(%s, %s)", [bytes.fromhex(case["sealed"]), _place(case)]
    ).fetchone()
    return row[0]


def test_keys_are_derived_alike():
    assert [key.session_value for key in KEYS] == [
        key["session_value"] for key in VECTORS["keys"]
    ]


@sealed_cases
def test_python_opens(case):
    place = {name: case[name] for name in ("table", "column", "row_id")}
    assert RING.unseal(bytes.fromhex(case["sealed"]), **place) == case["clear"]


@sealed_cases
def test_postgresql_opens(owner, case):
    assert _unseal(owner, case) == case["clear"]


@broken_cases
def test_python_refuses(case):
    place = {name: case[name] for name in ("table", "column", "row_id")}
    with pytest.raises(SealBroken):
        RING.unseal(bytes.fromhex(case["sealed"]), **place)


@broken_cases
def test_postgresql_refuses_without_showing_a_key(owner, case):
    with pytest.raises(psycopg.Error) as refusal:
        _unseal(owner, case)
    shown = f"{refusal.value} {refusal.value.diag.context}"
    assert not any(key.session_value[:16] in shown for key in KEYS)


def test_a_key_that_is_missing_has_an_error_of_its_own(owner):
    owner.execute("SELECT set_config('dotmac.key_1', '', false)")
    with pytest.raises(psycopg.Error, match="key 1"):
        _unseal(owner, VECTORS["sealed"][0])


def test_values_that_python_seals_now_open_in_postgresql(owner):
    ring = Keyring([KEYS[1], KEYS[0]])
    sealed = ring.seal("pa'ss", table="network_nas", column="secret", row_id=12)
    case = {"table": "network_nas", "column": "secret", "row_id": 12}
    assert _unseal(owner, case | {"sealed": sealed.hex()}) == "pa'ss"


def test_the_applications_role_may_not_unseal(db):
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege(current_user, 'dotmac_unseal(bytea,text)',"
            " 'EXECUTE')"
        )
        assert cursor.fetchone() == (False,)
