"""Accounting packets: which rows they make, however they arrive."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations, selectors
from apps.network.models import CoaRequest, Nas
from tests.conformance.isp import ACTOR, ago

pytestmark = pytest.mark.integration


def _id() -> str:
    return f"81{uuid.uuid4().hex[:8]}"


def _start(isp, account, session, **more):
    return isp.client.acct(
        "Start", User_Name=account.login, Acct_Session_Id=session, **more
    )


def test_a_session_comes_on_line_grows_and_ends(isp):
    account, session = isp.account(), _id()
    place = {
        "Framed_IP_Address": "100.64.9.9", "NAS_Port_Id": "pppoe-7",
        "Calling_Station_Id": "AA-BB-CC-00-11-22",
    }  # fmt: skip

    started = _start(isp, account, session, **place)
    opened = isp.sessions(account.login)[0]
    isp.client.acct(
        "Interim-Update", User_Name=account.login, Acct_Session_Id=session,
        Acct_Session_Time=300, Acct_Input_Octets=1000, Acct_Output_Octets=9000, **place,
    )  # fmt: skip
    isp.client.acct(
        "Stop", User_Name=account.login, Acct_Session_Id=session,
        Acct_Session_Time=360, Acct_Input_Octets=1500, Acct_Output_Octets=9500,
        Acct_Terminate_Cause="User-Request", **place,
    )  # fmt: skip

    assert started.kind == "Accounting-Response"
    assert (opened.stopped_at, opened.account_id) == (None, account.pk)
    assert str(opened.framed_address) == "100.64.9.9"
    assert (opened.mac, opened.nas_port) == ("aa:bb:cc:00:11:22", "pppoe-7")
    (row,) = isp.sessions(account.login)
    assert (row.seconds, row.octets_in, row.octets_out) == (360, 1500, 9500)
    assert (row.cause, row.presumed_ended) == ("User-Request", False)
    assert row.stopped_at is not None
    assert isp.usage(account) == (1500, 9500)


def test_order_and_repetition_do_not_matter(isp):
    account, session = isp.account(), _id()
    common = {"User_Name": account.login, "Acct_Session_Id": session}
    start = ("Start", {**common, "Event_Timestamp": ago(seconds=600)})
    interim = ("Interim-Update", {
        **common, "Event_Timestamp": ago(seconds=300), "Acct_Session_Time": 300,
        "Acct_Input_Octets": 10, "Acct_Output_Octets": 20,
    })  # fmt: skip
    stop = ("Stop", {
        **common, "Event_Timestamp": ago(seconds=100), "Acct_Session_Time": 500,
        "Acct_Input_Octets": 30, "Acct_Output_Octets": 40,
        "Acct_Terminate_Cause": "Lost-Carrier",
    })  # fmt: skip

    for status, facts in (stop, interim, start, stop, start, interim, interim):
        assert isp.client.acct(status, **facts).kind == "Accounting-Response"

    (row,) = isp.sessions(account.login)
    assert int(row.started_at.timestamp()) == start[1]["Event_Timestamp"]
    assert int(row.stopped_at.timestamp()) == stop[1]["Event_Timestamp"]
    assert (row.seconds, row.octets_in, row.octets_out) == (500, 30, 40)
    assert isp.usage(account) == (30, 40)


def test_without_a_clock_a_start_may_come_after_its_stop(isp):
    account, session = isp.account(), _id()
    common = {"User_Name": account.login, "Acct_Session_Id": session}

    isp.client.acct("Stop", **common, Acct_Session_Time=60, Acct_Input_Octets=7)
    time.sleep(1.1)
    isp.client.acct("Start", **common)

    (row,) = isp.sessions(account.login)
    assert row.stopped_at is not None
    assert row.octets_in == 7


def test_a_session_id_used_again_after_a_reboot_is_another_session(isp):
    nas = isp.nas()
    account, session = isp.account(), _id()
    here = {"Packet_Src_IP_Address": str(nas.address)}
    common = {"User_Name": account.login, "Acct_Session_Id": session, **here}
    isp.client.acct("Start", **common, Event_Timestamp=ago(seconds=900))
    isp.client.acct(
        "Interim-Update", **common, Event_Timestamp=ago(seconds=600),
        Acct_Session_Time=300, Acct_Input_Octets=5000,
    )  # fmt: skip
    isp.client.acct("Accounting-On", **here, Event_Timestamp=ago(seconds=500))

    isp.client.acct("Start", **common, Event_Timestamp=ago(seconds=400))
    isp.client.acct(
        "Interim-Update", **common, Event_Timestamp=ago(seconds=100),
        Acct_Session_Time=300, Acct_Input_Octets=40,
    )  # fmt: skip

    first, second = isp.sessions(account.login)
    assert (first.generation, first.octets_in, first.cause) == (1, 5000, "nas-restart")
    assert (second.generation, second.octets_in, second.stopped_at) == (2, 40, None)
    assert isp.usage(account) == (5040, 0)


@pytest.mark.parametrize("status", ["Accounting-On", "Accounting-Off"])
def test_a_restarted_nas_has_no_sessions(isp, status):
    nas, other = isp.nas(), isp.nas()
    account = isp.account(sessions_max=0)
    for where in (nas, other):
        _start(isp, account, _id(), Packet_Src_IP_Address=str(where.address))

    isp.client.acct(status, Packet_Src_IP_Address=str(nas.address))

    online = {s.nas_id: s.online for s in selectors.sessions_of([account.pk])}
    assert online == {nas.pk: False, other.pk: True}
    assert Nas.objects.get(pk=nas.pk).rebooted_at is not None
    assert operations.close_restarted_sessions(now=timezone.now()) >= 1
    ended = {s.nas_id: s.cause for s in isp.sessions(account.login)}
    assert ended == {nas.pk: "nas-restart", other.pk: ""}


def test_counters_have_64_bits(isp):
    account, session = isp.account(), _id()

    isp.client.acct(
        "Interim-Update", User_Name=account.login, Acct_Session_Id=session,
        Acct_Session_Time=10, Acct_Input_Octets=4294967295, Acct_Input_Gigawords=2,
        Acct_Output_Octets=1, Acct_Output_Gigawords=300,
    )  # fmt: skip

    row = isp.sessions(account.login)[0]
    assert row.octets_in == (2 << 32) + 4294967295
    assert row.octets_out == (300 << 32) + 1
    assert isp.usage(account) == (row.octets_in, row.octets_out)


def test_nonsense_counters_stay_positive(isp):
    account, session = isp.account(), _id()

    isp.client.acct(
        "Interim-Update", User_Name=account.login, Acct_Session_Id=session,
        Acct_Session_Time=4294967295, Acct_Input_Gigawords=4294967295,
    )  # fmt: skip

    row = isp.sessions(account.login)[0]
    assert row.octets_in > 0
    assert row.seconds == 2147483647
    assert row.started_at > timezone.now() - timedelta(days=366)


def test_an_unknown_user_is_kept(isp):
    login = f"stranger-{_id()}"

    answer = isp.client.acct("Start", User_Name=login, Acct_Session_Id=_id())

    assert answer.kind == "Accounting-Response"
    assert isp.sessions(login)[0].account_id is None


def test_class_finds_the_account_of_a_renamed_user(isp):
    account = isp.account()
    login = f"realm-{_id()}"

    isp.client.acct(
        "Start", User_Name=login, Acct_Session_Id=_id(),
        Class="0x" + str(account.pk).encode().hex(),
    )  # fmt: skip

    assert isp.sessions(login)[0].account_id == account.pk


def test_a_clock_that_lost_its_battery_does_not_date_the_session(isp):
    account = isp.account()

    _start(isp, account, _id(), Event_Timestamp=86_400)

    assert isp.sessions(account.login)[0].started_at > timezone.now() - timedelta(
        minutes=1
    )


def test_a_clock_ahead_does_not_either(isp):
    account = isp.account()

    _start(isp, account, _id(), Event_Timestamp=ago(seconds=-7200))

    assert isp.sessions(account.login)[0].started_at <= timezone.now()


def test_delay_dates_a_packet_that_waited(isp):
    account = isp.account()

    _start(isp, account, _id(), Acct_Delay_Time=120)

    age = timezone.now() - isp.sessions(account.login)[0].started_at
    assert timedelta(seconds=118) < age < timedelta(seconds=140)


def test_an_interim_reopens_what_only_silence_had_closed(isp):
    account, session = isp.account(), _id()
    common = {"User_Name": account.login, "Acct_Session_Id": session}
    isp.client.acct("Start", **common, Event_Timestamp=ago(seconds=3000))
    isp.heard(account, seconds=3000)
    operations.close_silent_sessions(now=timezone.now())
    closed = isp.sessions(account.login)[0]

    isp.client.acct("Interim-Update", **common, Acct_Session_Time=3000)

    assert (closed.cause, closed.presumed_ended) == ("silence", True)
    (row,) = isp.sessions(account.login)
    assert (row.stopped_at, row.presumed_ended, row.cause) == (None, False, "")


def test_an_interim_does_not_reopen_what_a_stop_had_closed(isp):
    account, session = isp.account(), _id()
    common = {"User_Name": account.login, "Acct_Session_Id": session}
    isp.client.acct("Start", **common, Event_Timestamp=ago(seconds=300))
    isp.client.acct("Stop", **common, Event_Timestamp=ago(seconds=60))

    isp.client.acct("Interim-Update", **common, Acct_Session_Time=240)

    assert isp.sessions(account.login)[0].stopped_at is not None


def test_a_packet_for_an_archived_session_finds_it(isp):
    account, session = isp.account(), _id()
    common = {"User_Name": account.login, "Acct_Session_Id": session}
    isp.client.acct("Start", **common, Event_Timestamp=ago(hours=50))
    stop = {
        **common, "Event_Timestamp": ago(hours=49), "Acct_Session_Time": 3600,
        "Acct_Input_Octets": 77,
    }  # fmt: skip
    isp.client.acct("Stop", **stop)
    isp.heard(account, hours=49)
    while operations.archive_sessions(now=timezone.now()):
        pass
    archived = isp.sessions(account.login)

    isp.client.acct("Stop", **stop)
    isp.client.acct("Stop", **{**stop, "Acct_Input_Octets": 80})

    assert archived == []
    (row,) = isp.sessions(account.login)
    assert (row.generation, row.octets_in) == (1, 80)
    assert isp.usage(account) == (80, 0)


def test_a_wrong_secret_or_an_unknown_nas_gets_silence(isp):
    account = isp.account()

    wrong = _start(isp, account, _id(), secret="some-other-secret", wait_s=1)
    unknown = _start(isp, account, _id(), Packet_Src_IP_Address="127.9.9.9", wait_s=1)

    assert (wrong.silent, unknown.silent) == (True, True)
    assert isp.sessions(account.login) == []


class TestSimultaneousUse:
    """One session at a time, whatever NASes forget to say."""

    MAC = {"Calling_Station_Id": "aa:bb:cc:00:00:01"}
    OTHER = {"Calling_Station_Id": "aa:bb:cc:00:00:02"}

    def test_another_device_is_refused_and_the_same_one_reconnects(self, isp):
        account = isp.account()
        _start(isp, account, _id(), **self.MAC)

        # The Stop of the first session is lost: the device dials again.
        assert isp.auth(account, **self.MAC).accepted
        assert isp.auth(account, **self.OTHER).rejected

    def test_without_any_evidence_a_second_login_is_refused(self, isp):
        """Until the NAS, which is asked, denies the first one: test_ghosts.py."""
        account = isp.account()
        _start(isp, account, _id())

        assert isp.auth(account).rejected

    def test_a_session_silent_for_three_intervals_does_not_count(self, isp):
        account = isp.account(profile={"interim_s": 60})
        _start(isp, account, _id(), **self.MAC, Event_Timestamp=ago(seconds=170))
        assert isp.auth(account, **self.OTHER).rejected
        isp.heard(account, seconds=181)

        assert isp.auth(account, **self.OTHER).accepted

    def test_of_two_that_raced_the_second_start_ends_the_older(self, isp):
        account, older, newer = isp.account(), _id(), _id()
        assert isp.auth(account).accepted
        assert isp.auth(account).accepted

        _start(isp, account, older, Event_Timestamp=ago(seconds=5))
        _start(isp, account, newer)
        _start(isp, account, newer)

        request = CoaRequest.objects.get(account_id=account.pk)
        assert (request.kind, request.acct_session_id) == ("disconnect", older)

    def test_limits_of_two_and_of_none(self, isp):
        pair, free = isp.account(sessions_max=2), isp.account(sessions_max=0)
        for account in (pair, free):
            for _ in range(2):
                _start(isp, account, _id())

        assert isp.auth(pair).rejected
        assert isp.auth(free).accepted
        asked = CoaRequest.objects.filter(account_id=pair.pk)
        assert not asked.filter(kind="disconnect").exists()

    def test_a_hold_placed_while_the_login_was_in_flight_ends_the_session(self, isp):
        account, session = isp.account(), _id()
        assert isp.auth(account).accepted
        isp.hold(account, "reject")

        _start(isp, account, session)

        request = CoaRequest.objects.get(account_id=account.pk)
        assert request.acct_session_id == session

    def test_the_platform_checks_a_login_that_is_on_line(self, isp):
        account = isp.account()
        _start(isp, account, _id())
        nas = operations.ensure_platform_nas(now=timezone.now(), actor=ACTOR)
        from dotmac.core.models import open_sealed

        answer = isp.auth(
            account,
            Packet_Src_IP_Address="127.0.0.2",
            secret=open_sealed(nas, "secret"),
        )

        assert answer.accepted
