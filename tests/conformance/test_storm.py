"""Reboots and lost packets: who is on line, and what was used. town.py tells more."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.network.models import SessionLive
from tests.conformance.isp import ago
from tests.conformance.town import (
    MAC,
    OTHER,
    Box,
    Street,
    disconnects,
    new_id,
    on_line,
    run_jobs,
)

pytestmark = pytest.mark.integration

DAY = 24 * 3600
HOUSES = 200


class TestAccountingOn:
    """A NAS that rebooted has no session from before, and all from after."""

    @pytest.mark.parametrize("told_by", ["delay", "clock"])
    @pytest.mark.parametrize("status", ["Start", "Interim-Update"])
    def test_a_packet_from_before_that_comes_after_leaves_no_ghost(
        self, isp, status, told_by
    ):
        box, account = Box.at(isp), isp.account()

        box.says("Accounting-On", **_sent(60, told_by))
        box.says(status, **box.about(account, new_id()), **MAC, **_sent(90, told_by))
        run_jobs()

        assert on_line(account) == []
        assert box.lets_in(account, **OTHER)

    def test_a_late_on_drops_nobody_who_came_since(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = box.about(account, session)

        box.says("Start", **about, **MAC)
        box.says("Accounting-On")  # sent before, and told nothing of when
        box.says(
            "Interim-Update", **about, **MAC, Acct_Session_Time=300,
            Acct_Input_Octets=50,
        )  # fmt: skip
        run_jobs()

        assert on_line(account) == [session]
        assert len(isp.sessions(account.login)) == 1
        assert isp.usage(account) == (50, 0)
        assert not box.lets_in(account, **OTHER)

    def test_a_late_on_that_tells_when_it_was_sent_spares_who_came_since(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()

        box.says("Start", **box.about(account, session), **MAC, Acct_Delay_Time=30)
        box.says("Accounting-On", Acct_Delay_Time=90)

        assert on_line(account) == [session]

    @pytest.mark.parametrize("saved", [3600, DAY, 30 * DAY])
    def test_an_on_from_a_box_with_a_saved_clock_ends_what_was(self, isp, saved):
        box, account = Box.at(isp), isp.account()
        box.says("Start", **box.about(account, new_id()), **MAC)

        box.says("Accounting-On", Event_Timestamp=ago(seconds=saved))

        assert on_line(account) == []
        assert box.lets_in(account, **OTHER)

    @pytest.mark.parametrize("status", ["Accounting-On", "Accounting-Off"])
    def test_it_ends_what_was_and_no_other_nas(self, isp, status):
        box, other = Box.at(isp), Box.at(isp)
        account, spared, session = isp.account(), isp.account(), new_id()
        box.says("Start", **box.about(account, session), **MAC)
        other.says("Start", **other.about(spared, session), **MAC)

        box.says(status)

        assert on_line(account) == []
        assert on_line(spared) == [session]
        assert box.lets_in(account, **OTHER)

    def test_it_costs_the_same_however_many_are_on_line(self, isp):
        box, account, sessions = Box.at(isp), isp.account(), 5_000
        box.says("Start", **box.about(account, new_id()))
        with connection.cursor() as cursor:
            cursor.execute(_CROWD, [sessions, box.nas.pk])
        here = SessionLive.objects.filter(nas_id=box.nas.pk)
        assert here.count() == sessions + 1

        box.says("Accounting-On")

        # Whatever is written down later, nobody is on line any more.
        assert here.filter(stopped_at__isnull=False).count() <= sessions / 10
        assert on_line(account) == []
        run_jobs()
        assert not here.filter(stopped_at__isnull=True).exists()


def _sent(seconds: int, told_by: str) -> dict[str, int]:
    """So long ago, as the NAS tells it: by its delay or by its clock."""
    if told_by == "delay":
        return {"Acct_Delay_Time": seconds}
    return {"Event_Timestamp": ago(seconds=seconds)}


# Copies of a real row: what is measured is the On, not how they came about.
_CROWD = """
    INSERT INTO network_sessionlive (session_key, login, acct_session_id, nas_id,
        account_id, started_at, seen_at, start_received)
    SELECT gen_random_uuid(), s.login, 'crowd' || n, s.nas_id, NULL, s.started_at,
           s.seen_at, true
      FROM generate_series(1, %s) n, network_sessionlive s WHERE s.nas_id = %s
"""


class TestLostStops:
    """A Stop that never came locks nobody out and leaves nobody on line."""

    @pytest.mark.parametrize(
        "place",
        [{"NAS_Port_Id": "pppoe-7"}, {"NAS_Port": 7}, {"ADSL_Agent_Circuit_Id": "o/7"}],
        ids=["port-id", "port", "circuit"],
    )
    def test_without_a_mac_the_place_tells_that_it_is_the_same_line(self, isp, place):
        box, account, second = Box.at(isp), isp.account(), new_id()
        box.says("Start", **box.about(account, new_id()), **place)

        assert box.lets_in(account, **place)
        box.says("Start", **box.about(account, second), **place)
        run_jobs()

        assert on_line(account) == [second]
        assert disconnects(account) == 0

    def test_without_a_mac_another_place_is_another_login(self, isp):
        box, account = Box.at(isp), isp.account()
        box.says("Start", **box.about(account, new_id()), NAS_Port_Id="pppoe-7")

        assert not box.lets_in(account, NAS_Port_Id="pppoe-8")

    def test_the_same_device_that_is_back_ends_its_ghost(self, isp):
        box, account, second = Box.at(isp), isp.account(), new_id()
        box.says("Start", **box.about(account, new_id()), **MAC)

        assert box.lets_in(account, **MAC)
        box.says("Start", **box.about(account, second), **MAC)
        run_jobs()

        assert on_line(account) == [second]
        assert disconnects(account) == 0


class TestSessionIdsUsedAgain:
    """A NAS that counts from one after each reboot."""

    def test_a_quick_reboot_without_a_clock_and_without_on(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = {**box.about(account, session), **MAC}
        box.says("Start", **about, Framed_IP_Address="100.64.1.1")
        box.says(
            "Interim-Update", **about, Framed_IP_Address="100.64.1.1",
            Acct_Session_Time=300, Acct_Input_Octets=1000,
        )  # fmt: skip

        box.says("Start", **about, Framed_IP_Address="100.64.1.2")
        box.says(
            "Interim-Update", **about, Framed_IP_Address="100.64.1.2",
            Acct_Session_Time=10, Acct_Input_Octets=500,
        )  # fmt: skip

        rows = isp.sessions(account.login)
        assert [row.octets_in for row in rows] == [1000, 500]
        assert [row.stopped_at is None for row in rows] == [False, True]
        assert isp.usage(account) == (1500, 0)
        assert disconnects(account) == 0

    def test_a_reboot_that_the_clock_tells(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = {**box.about(account, session), **MAC}
        box.says("Start", **about, Event_Timestamp=ago(seconds=500))
        box.says(
            "Interim-Update", **about, Event_Timestamp=ago(seconds=200),
            Acct_Session_Time=300, Acct_Input_Octets=1000,
        )  # fmt: skip

        box.says("Start", **about, Event_Timestamp=ago(seconds=100))
        box.says(
            "Interim-Update", **about, Event_Timestamp=ago(seconds=90),
            Acct_Session_Time=10, Acct_Input_Octets=500,
        )  # fmt: skip

        first, second = isp.sessions(account.login)
        assert (first.cause, second.stopped_at) == ("superseded", None)
        assert isp.usage(account) == (1500, 0)

    def test_two_nases_that_count_alike_are_not_mixed_up(self, isp):
        one, two, account = Box.at(isp), Box.at(isp), isp.account(sessions_max=0)
        about = one.about(account, "1")

        for box, octets in ((one, 10), (two, 20), (one, 30), (two, 40)):
            box.says(
                "Interim-Update", **about, Acct_Session_Time=octets,
                Acct_Input_Octets=octets,
            )  # fmt: skip

        rows = SessionLive.objects.filter(login=account.login)
        assert {r.nas_id: r.octets_in for r in rows} == {one.nas.pk: 30, two.nas.pk: 40}
        assert isp.usage(account) == (70, 0)


class TestAStreet:
    """Two hundred at once."""

    def test_whose_nas_says_that_it_rebooted(self, isp):
        street = Street.of(isp, HOUSES)
        street.all_say("Start", "a")
        street.all_say("Interim-Update", "a", seconds=300, octets_in=100)

        street.box.says("Accounting-On")
        street.a_moment_passes()
        street.all_say("Start", "a")  # the same ids again
        street.all_say("Interim-Update", "a", seconds=5, octets_in=10)

        assert street.on_line() == street.ids("a")
        assert len(street.sessions()) == 2 * HOUSES
        assert street.octets() == HOUSES * 110
        assert street.disconnects() == 0

    def test_whose_packets_come_twice_and_backwards(self, isp):
        street = Street.of(isp, HOUSES)
        stopped = ago(seconds=100)

        street.all_say(
            "Stop", "a", twice=True, backwards=True, seconds=500, octets_in=90,
            event=stopped,
        )  # fmt: skip
        street.all_say(
            "Interim-Update", "a", twice=True, seconds=300, octets_in=60,
            event=ago(seconds=300),
        )  # fmt: skip
        street.all_say("Start", "a", backwards=True, event=ago(seconds=600))
        street.all_say("Stop", "a", seconds=500, octets_in=90, event=stopped)

        assert street.on_line() == []
        assert {row.seconds for row in street.sessions()} == {500}
        assert len(street.sessions()) == HOUSES
        assert street.octets() == HOUSES * 90

    def test_whose_nas_says_nothing_of_its_reboot(self, isp):
        street = Street.of(isp, HOUSES)
        street.all_say("Start", "a")
        street.all_say("Interim-Update", "a", seconds=300, octets_in=100)

        street.all_say("Start", "b")  # no Stop, no On: new ids, the same devices
        street.all_say("Interim-Update", "b", seconds=5, octets_in=10)
        run_jobs()

        assert street.on_line() == street.ids("b")
        assert street.octets() == HOUSES * 110
        assert street.disconnects() == 0

    def test_whose_nas_is_overtaken_by_its_people(self, isp):
        street = Street.of(isp, HOUSES)
        street.all_say("Start", "a")

        street.box.says("Accounting-On")
        street.all_say("Interim-Update", "a", seconds=300, octets_in=100)
        run_jobs()

        assert street.on_line() == street.ids("a")
        assert len(street.sessions()) == HOUSES
        assert street.octets() == HOUSES * 100
