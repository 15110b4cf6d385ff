"""Why somebody was let in or refused: known inside, whichever server decided."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations
from apps.network.radius import spool
from tests.conformance import wire
from tests.conformance.isp import ACTOR, SECRET

pytestmark = pytest.mark.integration


def _decisions(server, *logins: str) -> list[tuple[str, bool, str]]:
    folder = server.child.log.parent / "decisions"
    lines = [
        decision
        for path in sorted(folder.iterdir())
        for decision in spool.read_lines(path, limit=100_000)[0]
    ]
    return [(d.login, d.accepted, d.reason) for d in lines if d.login in logins]


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
