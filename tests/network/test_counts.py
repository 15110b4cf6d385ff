"""Counters of sessions and usage are never negative, whoever writes them."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.network.test_radius_sessions import LOGIN, Line, owner

__all__ = ["owner"]
pytestmark = pytest.mark.integration
_ACCOUNT = sql.SQL("(SELECT id FROM network_accessaccount WHERE login = %s)")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("network_sessionlive", "generation"),
        ("network_sessionlive", "seconds"),
        ("network_sessionlive", "octets_in"),
        ("network_sessionlive", "octets_out"),
        ("network_usagehour", "octets_in"),
        ("network_usagehour", "octets_out"),
    ],
)
def test_no_counter_becomes_negative(owner, table, column):
    with Line(owner) as line:
        line.send(status="Start", event=line.ago(60))
        line.send(status="Interim-Update", seconds=60, octets_in=5, octets_out=5)
        change = sql.SQL("UPDATE {} SET {} = %s WHERE account_id = {}").format(
            sql.Identifier(table), sql.Identifier(column), _ACCOUNT
        )
        assert line.connection.execute(change, [0, LOGIN]).rowcount == 1
        with pytest.raises(psycopg.errors.CheckViolation):
            line.connection.execute(change, [-1, LOGIN])
