"""Why somebody was let in or refused: known inside, whichever server decided."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations
from apps.network.models import Nas
from apps.network.radius import spool
from tests.conformance import wire
from tests.conformance.isp import ACTOR, SECRET

pytestmark = pytest.mark.integration


def _lines(server, *logins: str) -> list[spool.Decision]:
    folder = server.child.log.parent / "decisions"
    lines = [
        decision
        for path in sorted(folder.iterdir())
        for decision in spool.read_lines(path, limit=100_000)[0]
    ]
    return [decision for decision in lines if decision.login in logins]


def _decisions(server, *logins: str) -> list[tuple[str, bool, str]]:
    return [(d.login, d.accepted, d.reason) for d in _lines(server, *logins)]


def test_every_decision_is_noted_with_its_reason(server, isp):
    mark = uuid.uuid4().hex
    plain, walled, held = isp.account(), isp.account(), isp.account()
    slow, late = isp.account(), isp.account(expires_at=timezone.now() - timedelta(1))
    locked = isp.account(mac_lock="aa:bb:cc:00:00:01", login=f"o'Ọlá-{mark}")
    isp.hold(walled, "walled_garden", "non_payment")
    isp.hold(held, "reject")
    isp.hold(slow, "throttle", "quota")

    isp.auth(plain)
    isp.auth(plain, "wrong")
    isp.client.auth(User_Name=plain.login, CHAP_Password="wrong")
    for account in (walled, held, slow, late):
        isp.auth(account)
    isp.auth(locked, Calling_Station_Id="AA-BB-CC-00-00-02")
    isp.client.acct("Start", User_Name=plain.login, Acct_Session_Id=mark)
    isp.auth(plain)
    isp.client.auth(User_Name=mark, User_Password="x")

    accounts = (plain, walled, held, slow, late, locked)
    took = [line.took_us or 0 for line in _lines(server, plain.login, mark)]
    assert took, "each says how long it took"
    assert all(10 < us < 5_000_000 for us in took), took
    assert _decisions(server, mark, *(account.login for account in accounts)) == [
        (plain.login, True, "open"),
        (plain.login, False, "password"),
        (plain.login, False, "password"),
        (walled.login, True, "walled_garden"),
        (held.login, False, "hold"),
        (slow.login, True, "throttled"),
        (late.login, True, "expired"),
        (locked.login, False, "mac"),
        (plain.login, False, "sessions"),
        (mark, False, "unknown"),
    ]


def test_a_closed_account_is_noted_as_unknown(server, isp):
    """It is no account any more: its login may be somebody else's by now."""
    account = isp.account()
    operations.close_access(account_id=account.pk, actor=ACTOR, now=timezone.now())

    isp.auth(account)

    assert _decisions(server, account.login) == [(account.login, False, "unknown")]


def test_bytes_that_are_no_text_are_noted_in_hex(server, isp):
    wire.ask(
        isp.client.auth_port, wire.access_request(b"\xff\xfe", b"x", SECRET.encode())
    )

    assert _decisions(server, "\\xfffe")[-1:] == [("\\xfffe", False, "unknown")]


def test_a_spool_that_cannot_be_written_refuses_nobody(server, isp):
    folder = server.child.log.parent / "decisions"
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("")
    try:
        accepted, rejected = isp.auth(isp.account()), isp.auth(isp.account(), "wrong")
    finally:
        folder.unlink()
        aside.rename(folder)

    assert accepted.accepted
    assert rejected.rejected
    assert isp.auth(isp.account()).accepted


def test_the_hold_that_decided_is_named_inside_only(server, isp):
    held, walled, slow = isp.account(), isp.account(), isp.account()
    isp.hold(held, "throttle", "quota")
    isp.hold(held, "reject", "abuse")
    isp.hold(walled, "walled_garden", "non_payment")
    isp.hold(slow, "throttle", "quota")

    refused = isp.auth(held)
    for account in (walled, slow):
        assert isp.auth(account).accepted

    assert [name for name, _ in refused.pairs] == ["Message-Authenticator"]
    lines = _lines(server, held.login, walled.login, slow.login)
    assert [(d.reason, d.hold, d.sample_of, d.account) for d in lines] == [
        ("hold", "abuse", 1, 0), ("walled_garden", "non_payment", 1, 0),
        ("throttled", "quota", 1, 0),
    ]  # fmt: skip


def test_a_device_without_a_login_is_noted_with_its_account(server, isp):
    account, nas = isp.account(), isp.nas(ipoe=True)
    mac = f"02:{':'.join(uuid.uuid4().hex[i : i + 2] for i in range(0, 10, 2))}"
    operations.add_handle(
        account_id=account.pk, kind="mac", value=mac, actor=ACTOR, now=timezone.now()
    )
    where = {"Packet_Src_IP_Address": str(nas.address), "User_Name": mac}

    assert isp.client.auth(**where).accepted
    isp.hold(account, "reject", "abuse")
    assert isp.client.auth(**where).rejected

    told = [(d.reason, d.account, d.accepted) for d in _lines(server, mac)]
    assert told == [("open", account.pk, True), ("hold", account.pk, False)]


def test_in_a_storm_some_are_written_and_everybody_is_answered(server, isp):
    """At one in three: the answers are those of always, whether a line is written."""
    account, nas = isp.account(sessions_max=0), isp.nas()
    Nas.objects.filter(pk=nas.pk).update(decisions_sample_of=3)
    source = str(nas.address)
    mark = uuid.uuid4().hex
    requests = [
        (account.login, b"right horse", 2), (account.login, b"wrong", 3), (mark, b"x", 3),
    ]  # fmt: skip

    for number in range(60):
        login, password, code = requests[number % 3]
        data = wire.access_request(
            login.encode(), password, SECRET.encode(), identifier=number
        )
        answer = wire.ask(isp.client.auth_port, data, source=source, wait_s=4)
        assert answer is not None
        assert answer[0] == code

    lines = _lines(server, account.login, mark)
    assert 3 <= len(lines) <= 45
    assert {d.sample_of for d in lines} == {3}
    assert {(d.accepted, d.reason) for d in lines} <= {
        (True, "open"), (False, "password"), (False, "unknown"),
    }  # fmt: skip
