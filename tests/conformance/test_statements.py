"""One packet, one statement; and what the server's files and logs do not hold."""

from __future__ import annotations

import os
import re
import stat
import uuid
from pathlib import Path

import pytest

from tests.conformance.isp import SECRET, superuser

pytestmark = pytest.mark.integration


def forget_statements(admin, database):
    """Count anew in one database: others count in theirs at the same time."""
    admin.execute(
        "SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = %s",
        [database],
    )


def _calls(admin, database: str) -> dict[str, int]:
    rows = admin.execute(
        """
        SELECT coalesce((regexp_match(s.query, 'radius_[a-z_]+\\('))[1], s.query),
               sum(s.calls)::int
          FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
          JOIN pg_database d ON d.oid = s.dbid
         WHERE r.rolname = 'radius' AND d.datname = %s AND s.toplevel GROUP BY 1
        """,
        [database],
    )
    return dict(rows.fetchall())


def test_every_packet_is_exactly_one_statement(isp, radius_database):
    account = isp.account(sessions_max=0)
    assert isp.auth(account).accepted
    with superuser(radius_database) as admin:
        forget_statements(admin, radius_database)
        for _ in range(5):
            assert isp.auth(account).accepted
            session = uuid.uuid4().hex
            for status in ("Start", "Interim-Update", "Stop"):
                isp.client.acct(
                    status, User_Name=account.login, Acct_Session_Id=session,
                    Acct_Session_Time=5, Acct_Input_Octets=5,
                )  # fmt: skip
        isp.auth(account, "wrong")
        isp.client.auth(User_Name="nobody", User_Password="x")
        calls = _calls(admin, radius_database)

    # The NAS is looked up once a minute.
    lookups = calls.pop("radius_clients(", 0)
    assert lookups <= 1
    assert sum(calls.values()) == 5 * 4 + 2, calls


def test_secrets_are_in_no_log_and_in_files_of_the_owner_only(server):
    folder = server.child.log.parent
    key = (
        Path(os.environ["DOTMAC_TEST_FOLDER"]) / "secrets/encryption.key"
    ).read_text()
    password = os.environ["RADIUS_DATABASE_URL"].split(":")[2].split("@")[0]
    derived = re.compile(r"key_\d+=[0-9a-f]{16}")

    log = server.child.log.read_text()
    assert not derived.search(log)
    for secret in (password, key.split(":")[1].strip(), SECRET, "right horse"):
        assert secret not in log
    for file in folder.rglob("*"):
        mode = stat.S_IMODE(file.stat().st_mode)
        if file.parent.name == "freeradius" or file.name == "freeradius":
            assert mode & 0o077 == 0, file
        if file.is_file() and file.name not in {"pgpass", "service.conf"}:
            text = file.read_text(errors="replace")
            assert password not in text, file
            assert not derived.search(text), file
