"""A minute without PostgreSQL at 300 accounting packets a second, and a kill -9 in it."""

from __future__ import annotations

import pytest

from tests.conformance import outage

pytestmark = pytest.mark.faults


@pytest.mark.timeout(600)
def test_a_minute_without_postgresql_loses_nothing(tmp_path):
    with outage.own_postgres(tmp_path / "own") as postgres:
        found = outage.storm_without_postgres(postgres, tmp_path, seconds=60, rate=300)

        assert found.logins == ["", ""]
        assert (found.results.lost, found.results.unexpected) == (0, 0)
        outage.assert_all_there_once(postgres, found)
