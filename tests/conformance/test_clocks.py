"""Wrong clocks and small counters: who is on line, and what was used. See town.py."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations
from apps.network.models import SessionLive
from tests.conformance.isp import ACTOR, ago
from tests.conformance.town import (
    MAC,
    OTHER,
    Box,
    new_id,
    on_line,
    run_jobs,
)

pytestmark = pytest.mark.integration

DAY = 24 * 3600


class TestClocks:
    """A NAS whose clock is wrong serves people like any other."""

    @pytest.fixture(params=["behind", "ahead"])
    def clock(self, request):
        """Event-Timestamp of so many seconds ago, by a clock that is a day off."""
        off = DAY if request.param == "behind" else -DAY
        return lambda seconds: ago(seconds=seconds + off)

    def test_a_session_is_on_line_while_its_nas_tells_of_it(self, isp, clock):
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = box.about(account, session)

        box.says("Start", **about, **MAC, Event_Timestamp=clock(300))
        box.says(
            "Interim-Update", **about, **MAC, Event_Timestamp=clock(0),
            Acct_Session_Time=300, Acct_Input_Octets=7,
        )  # fmt: skip
        run_jobs()

        assert on_line(account) == [session]
        (row,) = isp.sessions(account.login)
        assert (row.stopped_at, row.cause, row.octets_in) == (None, "", 7)

    def test_it_counts_against_the_limit(self, isp, clock):
        box, account = Box.at(isp), isp.account()
        box.says(
            "Start", **box.about(account, new_id()), **MAC, Event_Timestamp=clock(0)
        )

        assert not box.lets_in(account, **OTHER)

    def test_it_ends_by_its_stop_and_is_counted_once(self, isp):
        """Both ways, and today as well."""
        for off in (DAY, -DAY):
            box, account = Box.at(isp), isp.account()
            about = box.about(account, new_id())
            packets: list[tuple[str, dict[str, object]]] = [
                ("Start", {"Event_Timestamp": ago(seconds=off + 600)}),
                ("Interim-Update", {
                    "Event_Timestamp": ago(seconds=off + 300), "Acct_Session_Time": 300,
                    "Acct_Input_Octets": 40,
                }),
                ("Stop", {
                    "Event_Timestamp": ago(seconds=off), "Acct_Session_Time": 600,
                    "Acct_Input_Octets": 90, "Acct_Terminate_Cause": "User-Request",
                }),
            ]  # fmt: skip
            # A clock that is ahead tells no order: a Start after the Stop is a new one.
            again = (*packets, *packets)
            twice = [packet for packet in packets for _ in range(2)]
            for status, facts in again if off > 0 else twice:
                box.says(status, **about, **facts)

            (row,) = isp.sessions(account.login)
            assert (row.cause, row.seconds, row.octets_in) == ("User-Request", 600, 90)
            assert isp.usage(account) == (90, 0)
            assert on_line(account) == []


class TestASavedClock:
    """A box that boots with the clock that it saved an hour or a day ago."""

    @pytest.mark.parametrize("saved", [2 * 3600, DAY])
    @pytest.mark.parametrize("says_on", [True, False])
    def test_uses_its_session_ids_again(self, isp, saved, says_on):
        """And gets the right time later, in the middle of the session."""
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = {**box.about(account, session), **MAC}
        box.says("Start", **about, Event_Timestamp=ago(seconds=900))
        box.says(
            "Interim-Update", **about, Event_Timestamp=ago(seconds=600),
            Acct_Session_Time=300, Acct_Input_Octets=1000,
        )  # fmt: skip

        if says_on:
            box.says("Accounting-On", Event_Timestamp=ago(seconds=saved))
        box.says("Start", **about, Event_Timestamp=ago(seconds=saved - 1))
        assert on_line(account) == [session]
        for when, seconds, octets in (
            (saved - 2, 1, 10),
            (saved - 3, 2, 20),
            (0, 3, 30),
        ):
            box.says(
                "Interim-Update", **about, Event_Timestamp=ago(seconds=when),
                Acct_Session_Time=seconds, Acct_Input_Octets=octets,
            )  # fmt: skip
        box.says("Stop", **about, Acct_Session_Time=4, Acct_Input_Octets=40)
        box.says("Stop", **about, Acct_Session_Time=4, Acct_Input_Octets=40)

        first, second = isp.sessions(account.login)
        assert (first.octets_in, second.octets_in) == (1000, 40)
        assert isp.usage(account) == (1040, 0)
        assert on_line(account) == []

    def test_whose_start_got_lost(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = {**box.about(account, session), **MAC}
        box.says("Start", **about, Event_Timestamp=ago(seconds=900))
        isp.heard(account, seconds=900)
        box.says("Accounting-On", Event_Timestamp=ago(seconds=DAY))

        for seconds, octets in ((1, 10), (2, 20)):
            box.says(
                "Interim-Update", **about, Event_Timestamp=ago(seconds=DAY - seconds),
                Acct_Session_Time=seconds, Acct_Input_Octets=octets,
            )  # fmt: skip

        assert on_line(account) == [session]
        assert [row.octets_in for row in isp.sessions(account.login)] == [0, 20]
        assert isp.usage(account) == (20, 0)


def test_what_runs_by_a_clock_that_is_behind_is_not_archived(isp):
    box, account, session = Box.at(isp), isp.account(), new_id()
    about = box.about(account, session)
    box.says("Start", **about, Event_Timestamp=ago(days=2))
    box.says(
        "Stop", **about, Event_Timestamp=ago(days=2), Acct_Session_Time=1,
        Acct_Input_Octets=7,
    )  # fmt: skip

    run_jobs()

    assert [row.octets_in for row in isp.sessions(account.login)] == [7]


def test_a_counter_without_gigawords_goes_on_after_it_wrapped(isp):
    """Where the operator has said so of the NAS."""
    box, account = Box.at(isp), isp.account()
    operations.change_nas(
        nas_id=box.nas.pk, changes={"counts_32_bits": True}, actor=ACTOR,
        now=timezone.now(),
    )  # fmt: skip
    about = box.about(account, new_id())

    for seconds, octets in ((300, 4_000_000_000), (600, 100_000_000)):
        box.says(
            "Interim-Update", **about, Acct_Session_Time=seconds,
            Acct_Input_Octets=octets,
        )  # fmt: skip

    assert isp.usage(account) == (2**32 + 100_000_000, 0)


def test_silence_is_still_noticed(isp):
    """The other side of a clock that is not believed: nobody stays for ever."""
    box, account = Box.at(isp), isp.account(profile={"interim_s": 60})
    box.says("Start", **box.about(account, new_id()), **MAC)
    long_ago = timezone.now() - timedelta(seconds=181)
    SessionLive.objects.filter(login=account.login).update(
        seen_at=long_ago, heard_at=long_ago
    )

    assert on_line(account) == []
    assert box.lets_in(account, **OTHER)
    run_jobs()
    assert isp.sessions(account.login)[0].cause == "silence"
