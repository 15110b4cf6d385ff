"""IPoE: a device or a line is let in by what it is, where the NAS may, and nobody else."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from apps.network import operations
from tests.conformance import wire
from tests.conformance.isp import ACTOR, SECRET, make_nas

pytestmark = pytest.mark.integration
NAS, OTHER_NAS = "127.15.0.1", "127.15.0.2"
ADSL_FORUM = 3561


@pytest.fixture(scope="module")
def nases(server, radius_database, django_db_blocker):
    """One that may let in without a password, and one that may not."""
    from apps.network.models import Nas
    from tests.conformance.isp import pointed_to

    with pointed_to(radius_database, django_db_blocker):
        for address, ipoe in ((NAS, True), (OTHER_NAS, False)):
            if not Nas.objects.filter(address=address).exists():
                make_nas(address, ipoe=ipoe)


@pytest.fixture
def line(isp, nases):
    """An account that is known by a device, a circuit and a remote id of its own."""
    account = isp.account()
    mark = uuid.uuid4().hex
    mac = ":".join(("02", *(mark[i : i + 2] for i in range(0, 10, 2))))
    for kind, value in (
        ("mac", mac.upper().replace(":", "-")), ("circuit_id", f"olt/1 {mark}"),
        ("remote_id", f"0x0006{mark[:12]}"),
    ):  # fmt: skip
        operations.add_handle(
            account_id=account.pk, kind=kind, value=value, actor=ACTOR,
            now=timezone.now(),
        )  # fmt: skip
    return account, mac, f"olt/1 {mark}", bytes.fromhex(f"0006{mark[:12]}")


def _ask(isp, name, source=NAS, **attributes):
    return isp.client.auth(User_Name=name, Packet_Src_IP_Address=source, **attributes)


def test_a_device_is_let_in_with_all_that_its_account_has(isp, line):
    account, mac, *_ = line
    klass = f"0x{str(account.pk).encode().hex()}"

    for name in (mac, mac.upper().replace(":", "-"), f"{mac.replace(':', '')}@isp"):
        answer = _ask(isp, name, User_Password="", Calling_Station_Id=mac)
        assert answer.accepted, name
        assert answer.attributes["Class"] == klass
        assert answer.attributes["Mikrotik-Rate-Limit"] == "10000k/20000k"
        assert not {"Auth-Type", "Cleartext-Password"} & answer.attributes.keys()
    # Whatever proof is in it: nobody asked for one.
    assert _ask(isp, mac, User_Password="x").accepted
    assert _ask(isp, mac, CHAP_Password="x").accepted
    # What it is known by afterwards: Class, as for everybody.
    isp.client.acct(
        "Start", User_Name=mac, Acct_Session_Id=mac, Packet_Src_IP_Address=NAS,
        Class=klass,
    )  # fmt: skip
    assert [row.account_id for row in isp.sessions(mac)] == [account.pk]


def test_a_session_without_class_is_of_the_device_where_the_nas_may(isp, line):
    account, mac, *_ = line
    where = {"User_Name": mac, "Calling_Station_Id": mac}

    for session, source in (("mine", NAS), ("nobodys", OTHER_NAS)):
        isp.client.acct(
            "Start", Acct_Session_Id=session, Packet_Src_IP_Address=source, **where
        )

    owners = {row.acct_session_id: row.account_id for row in isp.sessions(mac)}
    assert owners == {"mine": account.pk, "nobodys": None}


def test_a_line_is_let_in_by_what_the_relay_says(isp, line):
    _, _, circuit, remote = line
    nobody = "02:00:00:00:00:99"

    by_circuit = _ask(isp, nobody, ADSL_Agent_Circuit_Id=circuit)
    by_name = _ask(isp, circuit, ADSL_Agent_Circuit_Id=circuit)
    by_remote = wire.ask(
        isp.client.auth_port,
        wire.access_request(
            nobody.encode(),
            b"",
            SECRET.encode(),
            extra=wire.vendor(ADSL_FORUM, 2, remote),
        ),
        source=NAS,
    )
    other = _ask(isp, nobody, ADSL_Agent_Circuit_Id=f"{circuit}0")

    assert by_circuit.accepted
    assert by_name.accepted
    assert by_remote is not None
    assert by_remote[0] == 2
    assert other.rejected


def test_a_nas_that_may_not_lets_nobody_in_without_a_password(isp, line):
    _, mac, circuit, _ = line

    answer = _ask(
        isp, mac, OTHER_NAS, Calling_Station_Id=mac, ADSL_Agent_Circuit_Id=circuit
    )

    assert answer.rejected


def test_a_login_needs_its_password_on_every_nas_and_line(isp, line):
    """Even one that looks like a device, and even from a line that needs none."""
    account, mac, circuit, _ = line
    taken = isp.account(login=mac)
    where = {"Calling_Station_Id": mac, "ADSL_Agent_Circuit_Id": circuit}

    for login in (account.login, taken.login):
        for proof in ({"User_Password": "wrong"}, {"CHAP_Password": "wrong"}, {}):
            assert _ask(isp, login, **where, **proof).rejected, (login, proof)
        assert _ask(isp, login, **where, User_Password="right horse").accepted
    # Nor does a login that nobody has borrow the line.
    assert _ask(isp, "nobody@isp", **where, User_Password="x").rejected


def test_the_device_that_the_nas_saw_decides_not_the_name_that_was_said(isp, line):
    _, mac, *_ = line

    assert _ask(isp, mac, Calling_Station_Id="02:00:00:00:00:98").rejected


def test_a_hold_and_the_end_of_the_account_end_it(isp, line):
    account, mac, circuit, _ = line

    isp.hold(account, "reject")
    held = _ask(isp, mac)
    operations.lift_hold(
        account_id=account.pk, reason="admin", actor=ACTOR, now=timezone.now()
    )
    again = _ask(isp, mac)
    operations.close_access(account_id=account.pk, actor=ACTOR, now=timezone.now())
    closed = _ask(isp, mac, ADSL_Agent_Circuit_Id=circuit)

    assert (held.rejected, again.accepted, closed.rejected) == (True, True, True)
    # What was its is free for the next.
    next_one = isp.account()
    operations.add_handle(
        account_id=next_one.pk, kind="mac", value=mac, actor=ACTOR, now=timezone.now()
    )
    assert _ask(isp, mac).accepted
