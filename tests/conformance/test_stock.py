"""The reference of the benchmark: that stock FreeRADIUS does what is said of it."""

from __future__ import annotations

import os
import signal
import socket
import time
import uuid
from contextlib import contextmanager

import pytest

from dotmac.devtools.refusals import Refused
from dotmac.devtools.servers import free_port
from tests.conformance.isp import superuser
from tests.conformance.radclient import RadClient
from tests.conformance.test_statements import forget_statements
from tests.programs import RADIUS_SERVER, need
from tools.bench import stock

# The tool of a long tier; tests/conformance/test_comparison.py asks the same server.
pytestmark = pytest.mark.performance
SECRET = "of the old server"
START_S = 20
USERS = [
    stock.User("ada", "right horse", "home", [("Framed-IP-Address", "100.64.0.7")]),
    stock.User("bisi", "it's", "home"),
]
GROUPS = {
    "home": [("WISPr-Bandwidth-Max-Up", "5000"), ("Acct-Interim-Interval", "300")]
}


@pytest.fixture
def database():
    need(*RADIUS_SERVER)
    try:
        stock.distributed(stock.SCHEMA)
    except Refused as refusal:
        pytest.skip(str(refusal))
    admin, name = (
        os.environ["DOTMAC_TEST_SUPERUSER_URL"],
        f"stock_{uuid.uuid4().hex[:8]}",
    )
    made = stock.make_database(admin, name, "of the role")
    assert stock.fill(made, USERS, GROUPS) == 2
    yield made
    stock.drop_database(admin, name)


@pytest.fixture
def running(database, tmp_path):
    """Runs a variant and asks it until it answers."""

    @contextmanager
    def run(variant):
        auth, acct = (free_port(kind=socket.SOCK_DGRAM) for _ in range(2))
        listen = stock.Listen(auth_port=auth, acct_port=acct, secret=SECRET, threads=2)
        stock.write_configuration(
            tmp_path, database=database, variant=variant, listen=listen
        )
        child = stock.child(tmp_path, variant)
        client = RadClient(auth, acct, SECRET)
        child.start()
        try:
            deadline = time.monotonic() + START_S
            while client.auth(User_Name="?", User_Password="?", wait_s=1).silent:
                assert child.is_alive, child.tail(20)
                assert time.monotonic() < deadline, child.tail(20)
            yield client
        finally:
            child.stop()
        assert child.exit_code in {0, -signal.SIGTERM}

    return run


def _rows(database, statement):
    with superuser(database.name) as admin:
        return admin.execute(statement).fetchall()


def _statements(database, action) -> int:
    """How many statements of its role an action took."""
    with superuser(os.environ["DOTMAC_TEST_TEMPLATE"]) as admin:
        forget_statements(admin, database.name)
        action()
        ((count,),) = admin.execute(
            "SELECT coalesce(sum(calls), 0)::int FROM pg_stat_statements s"
            " JOIN pg_roles r ON r.oid = s.userid"
            " WHERE r.rolname = %s AND s.toplevel",
            [database.user],
        ).fetchall()
    return int(count)


def _online(client, session):
    return client.acct("Start", User_Name="ada", Acct_Session_Id=session, NAS_Port=1)


def test_lean_asks_five_queries_and_gives_what_stands_in_the_tables(running, database):
    answers = []
    ask = lambda client: answers.append(  # noqa: E731
        client.auth(User_Name="ada", User_Password="right horse")
    )
    with running("lean") as client:
        assert _statements(database, lambda: ask(client)) == 5
        assert client.auth(User_Name="bisi", User_Password="it's").accepted
        assert client.auth(User_Name="bisi", User_Password="its").rejected
        # Nobody looks whether she is on line already.
        assert _online(client, "s1").kind == "Accounting-Response"
        ask(client)

    for answer in answers:
        assert answer.accepted
        assert answer.attributes["Framed-IP-Address"] == "100.64.0.7"
        assert answer.attributes["WISPr-Bandwidth-Max-Up"] == "5000"
        assert answer.attributes["Acct-Interim-Interval"] == "300"
    assert _rows(database, "SELECT count(*) FROM radpostauth") == [(0,)]


def test_full_counts_sessions_and_writes_every_accept_down(running, database):
    with running("full") as client:
        ask = lambda: client.auth(  # noqa: E731
            User_Name="ada", User_Password="right horse"
        )
        assert _statements(database, lambda: ask() and None) == 7
        _online(client, "s2")
        assert ask().rejected

    rows = _rows(database, "SELECT username, reply FROM radpostauth")
    assert rows == [("ada", "Access-Accept")]
    open_rows = "SELECT AcctSessionId, host(NASIPAddress) FROM radacct"
    assert ("s2", "127.0.0.1") in _rows(
        database, f"{open_rows} WHERE AcctStopTime IS NULL"
    )


def test_each_kind_of_accounting_is_one_statement(running, database):
    with running("lean") as client:
        facts = {"User_Name": "ada", "Acct_Session_Id": "s3", "NAS_Port": 1}
        for status in ("Start", "Interim-Update", "Stop"):
            count = _statements(
                database,
                lambda status=status: client.acct(
                    status, Acct_Session_Time=9, Acct_Input_Octets=77, **facts
                ),
            )
            assert count == 1, status

    octets = "SELECT AcctInputOctets FROM radacct WHERE AcctSessionId = 's3'"
    assert _rows(database, f"{octets} AND AcctStopTime IS NOT NULL") == [(77,)]


def test_a_file_that_is_nowhere_is_named():
    with pytest.raises(Refused, match=r"nowhere\.sql"):
        stock.distributed(stock.SCHEMA.with_name("nowhere.sql"))
