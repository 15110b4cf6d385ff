"""Sessions that are over and that nothing says so of: they lock nobody out."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from apps.network import operations
from apps.network.models import CoaRequest
from tests.conformance.isp import ACTOR, ago
from tests.conformance.town import MAC, OTHER, Box, disconnects, new_id, on_line

pytestmark = pytest.mark.integration

PORT = {"NAS_Port_Id": "pppoe-7"}
LINE = {"ADSL_Agent_Circuit_Id": "olt1/7"}


def probes(account) -> list[str]:
    """The session ids that were asked after, by a question that harms nobody."""
    asked = CoaRequest.objects.filter(account_id=account.pk).order_by("pk")
    assert all((row.kind, row.reason) == ("coa", "contested") for row in asked)
    return [row.acct_session_id for row in asked]


class TestEvidence:
    """The strongest that both have decides: device, line, port."""

    @pytest.mark.parametrize(
        ("before", "now", "let_in"),
        [
            ({**MAC, **LINE, **PORT}, {**OTHER, **LINE, **PORT}, False),
            ({**MAC, **LINE}, {**MAC, "ADSL_Agent_Circuit_Id": "olt1/8"}, True),
            ({**LINE, **PORT}, {**LINE, "NAS_Port_Id": "pppoe-8"}, True),
            ({**LINE, **PORT}, {"ADSL_Agent_Circuit_Id": "olt1/8", **PORT}, False),
            ({**MAC, **LINE}, LINE, True),
            ({**MAC, **PORT}, PORT, True),
            ({"NAS_Port": 0}, {"NAS_Port": 0}, False),
            ({"Calling_Station_Id": "0800-1"}, {"Calling_Station_Id": "0800-1"}, True),
            ({"Calling_Station_Id": "0800-1"}, {"Calling_Station_Id": "0800-2"}, False),
            (MAC, {}, False),
        ],
    )
    def test_tells_whether_it_is_the_same_line(self, isp, before, now, let_in):
        box, account = Box.at(isp), isp.account()
        box.says("Start", **box.about(account, new_id()), **before)

        assert box.lets_in(account, **now) is let_in

    def test_a_port_is_another_one_on_another_nas(self, isp):
        box, other, account = Box.at(isp), Box.at(isp), isp.account()
        box.says("Start", **box.about(account, new_id()), **PORT)

        assert box.lets_in(account, **PORT)
        assert not other.lets_in(account, **PORT)

    def test_a_device_that_moves_to_another_nas_ends_its_ghost(self, isp):
        box, other, account, moved = Box.at(isp), Box.at(isp), isp.account(), new_id()
        box.says("Start", **box.about(account, new_id()), **MAC)

        assert other.lets_in(account, **MAC)
        other.says("Start", **other.about(account, moved), **MAC)

        assert on_line(account) == [moved]
        assert disconnects(account) == 0


class TestStarts:
    """The newest session of a line stays, whichever Start comes last."""

    def test_a_late_start_does_not_end_what_followed(self, isp):
        box, account, older, newer = Box.at(isp), isp.account(), new_id(), new_id()

        box.says(
            "Start", **box.about(account, newer), **MAC, Event_Timestamp=ago(seconds=5)
        )
        box.says(
            "Start", **box.about(account, older), **MAC, Event_Timestamp=ago(seconds=90)
        )

        assert on_line(account) == [newer]
        assert disconnects(account) == 0

    def test_a_start_that_comes_twice_changes_nothing(self, isp):
        box, account, first, second = Box.at(isp), isp.account(), new_id(), new_id()

        for session in (first, second, first, second):
            box.says("Start", **box.about(account, session), **MAC)

        assert on_line(account) == [second]
        assert len(isp.sessions(account.login)) == 2
        assert disconnects(account) == 0

    def test_a_ghost_that_was_none_comes_back_and_counts(self, isp):
        box, account, older, newer = Box.at(isp), isp.account(), new_id(), new_id()
        box.says(
            "Start",
            **box.about(account, older),
            **PORT,
            Event_Timestamp=ago(seconds=60),
        )
        box.says(
            "Start",
            **box.about(account, newer),
            **PORT,
            Event_Timestamp=ago(seconds=30),
        )
        assert on_line(account) == [newer]

        box.says(
            "Interim-Update", **box.about(account, older), **PORT,
            Acct_Session_Time=60, Acct_Input_Octets=5,
        )  # fmt: skip

        assert set(on_line(account)) == {older, newer}
        assert isp.usage(account) == (5, 0)
        assert disconnects(account) == 1
        assert CoaRequest.objects.get(account_id=account.pk).acct_session_id == older

    def test_an_account_without_a_limit_keeps_its_devices(self, isp):
        box, account = Box.at(isp), isp.account(sessions_max=0)
        sessions = [new_id(), new_id()]

        for session, device in zip(sessions, (MAC, OTHER), strict=True):
            box.says("Start", **box.about(account, session), **device)

        assert set(on_line(account)) == set(sessions)


class TestProbes:
    """Who is refused for a session that counts has it asked after, harmlessly."""

    def test_a_refusal_asks_once_and_never_ends_anything(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()
        box.says("Start", **box.about(account, session), **MAC)

        for password in ("right horse", "wrong", "right horse"):
            answer = isp.auth(
                account, password, Packet_Src_IP_Address=str(box.nas.address), **OTHER
            )
            assert answer.rejected

        assert probes(account) == [session]
        assert on_line(account) == [session]

    def test_who_is_let_in_or_refused_for_another_reason_asks_nothing(self, isp):
        box, account = Box.at(isp), isp.account(mac_lock="aa:bb:cc:00:00:01")
        box.says("Start", **box.about(account, new_id()), **MAC)

        assert box.lets_in(account, **MAC)
        assert not box.lets_in(account, **OTHER)

        assert probes(account) == []


class TestLimits:
    """What a profile says about a login too many."""

    def test_replace_lets_in_and_ends_the_older_at_the_start(self, isp):
        box, older, newer = Box.at(isp), new_id(), new_id()
        account = isp.account(profile={"on_limit": "replace"})
        box.says(
            "Start", **box.about(account, older), **MAC, Event_Timestamp=ago(seconds=9)
        )

        assert box.lets_in(account, **OTHER)
        assert disconnects(account) == 0
        box.says("Start", **box.about(account, newer), **OTHER)

        assert disconnects(account) == 1
        assert CoaRequest.objects.get(account_id=account.pk).acct_session_id == older

    def test_a_clock_behind_does_not_make_the_newest_the_oldest(self, isp):
        box, behind, older, newer = Box.at(isp), Box.at(isp), new_id(), new_id()
        account = isp.account(profile={"on_limit": "replace"})
        box.says("Start", **box.about(account, older), **MAC)

        behind.says(
            "Start", **behind.about(account, newer), **OTHER,
            Event_Timestamp=ago(days=1),
        )  # fmt: skip

        assert CoaRequest.objects.get(account_id=account.pk).acct_session_id == older


class TestWhoseSession:
    """Our Class comes before the login, which many may share."""

    def test_an_outer_identity_that_is_somebodys_login(self, isp):
        box, somebody, account = Box.at(isp), isp.account(), isp.account()
        session = new_id()

        for status, octets in (("Start", 0), ("Interim-Update", 70)):
            box.says(
                status, User_Name=somebody.login, Acct_Session_Id=session,
                Acct_Session_Time=octets, Acct_Input_Octets=octets,
                Class="0x" + str(account.pk).encode().hex(),
            )  # fmt: skip

        assert isp.usage(account) == (70, 0)
        assert isp.usage(somebody) == (0, 0)

    def test_a_class_that_names_no_open_account_leaves_the_login(self, isp):
        box, closed, account = Box.at(isp), isp.account(), isp.account()
        operations.close_access(account_id=closed.pk, actor=ACTOR, now=timezone.now())

        for number in (closed.pk, 999_999_999):
            box.says(
                "Start", **box.about(account, new_id()),
                Class="0x" + str(number).encode().hex(),
            )  # fmt: skip

        rows = isp.sessions(account.login)
        assert {row.account_id for row in rows} == {account.pk}

    def test_a_nas_that_gets_another_address_keeps_its_sessions(self, isp):
        box, account, session = Box.at(isp), isp.account(), new_id()
        about = box.about(account, session)
        box.says("Start", **about, **MAC)
        box.says("Interim-Update", **about, Acct_Session_Time=300, Acct_Input_Octets=90)
        address = f"127.4.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250 + 1}"

        operations.change_nas(
            nas_id=box.nas.pk, changes={"address": address}, actor=ACTOR,
            now=timezone.now(),
        )  # fmt: skip
        moved = Box(isp, type(box.nas).objects.get(pk=box.nas.pk))
        moved.says(
            "Interim-Update", **about, Acct_Session_Time=600, Acct_Input_Octets=100
        )

        assert on_line(account) == [session]
        assert len(isp.sessions(account.login)) == 1
        assert isp.usage(account) == (100, 0)
