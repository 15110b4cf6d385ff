"""What tools/radius_load.py sends, and what its command line says."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from pyrad.packet import AcctPacket

from apps.network.radius.packets import dictionary
from tests.network.scripted_radius import (
    MAKER,
    PEOPLE,
    SECRET,
    ScriptedServer,
    answer,
    only,
)
from tools import radius_load
from tools.load import packets, plan
from tools.load.plan import Maker, Subscriber

pytestmark = pytest.mark.unit


def decoded(request) -> AcctPacket:
    packet = AcctPacket(packet=request.data, secret=SECRET, dict=dictionary())
    assert packet.VerifyAcctRequest()
    return packet


def test_accounting_packets_say_what_a_nas_says():
    who = Subscriber("user-1", "word", "100.64.3.4")
    maker = Maker(secret=SECRET, prefix="x", rate=10, began=1_700_000_000)
    start, interim, stop = (
        decoded(maker.accounting(20 * n, who, kind))
        for n, kind in enumerate(plan.ACCOUNTING)
    )

    assert start["Acct-Status-Type"] == ["Start"]
    assert start["Framed-IP-Address"] == ["100.64.3.4"]
    assert start["Calling-Station-Id"] == [packets.mac_of("user-1")]
    assert (interim["Acct-Session-Time"], interim["Acct-Input-Gigawords"]) == (
        [300],
        [0],
    )
    octets = stop["Acct-Input-Octets"][0] + (stop["Acct-Input-Gigawords"][0] << 32)
    assert (octets, stop["Acct-Terminate-Cause"]) == (5_000_000_000, ["User-Request"])
    sessions = {packet["Acct-Session-Id"][0] for packet in (start, interim, stop)}
    assert sessions == {"x.0-user-1"}
    # Two seconds between them by the schedule, and so by the NAS's clock.
    clock = [packet["Event-Timestamp"][0] for packet in (start, interim, stop)]
    assert clock == [1_700_000_000, 1_700_000_002, 1_700_000_004]


def test_further_starts_are_of_further_sessions_and_further_interims_count_on():
    starts, interims = (
        [decoded(each) for each in plan.storm(MAKER, PEOPLE, 20, kind)]
        for kind in ("Start", "Interim-Update")
    )

    assert len({packet["Acct-Session-Id"][0] for packet in starts}) == 20
    first, again, last = interims[3], interims[11], interims[19]
    assert first["Acct-Session-Id"] == again["Acct-Session-Id"] == ["t.0-user-3"]
    counted = [each["Acct-Input-Octets"][0] for each in (first, again, last)]
    assert counted == [40_000_000, 80_000_000, 120_000_000]


def test_in_a_mixture_every_session_begins_before_it_ends():
    weights = {"Access-Request": 1, "Start": 1, "Interim-Update": 2, "Stop": 3}
    requests = plan.mixture(MAKER, PEOPLE, 2000, weights, random.Random(5))

    counted = Counter(request.kind for request in requests)
    assert set(counted) == set(plan.KINDS)
    assert sum(counted.values()) == 2000
    online: set[str] = set()
    octets: dict[str, int] = {}
    ended: set[str] = set()
    for request in requests:
        if request.kind == "Access-Request":
            continue
        packet = decoded(request)
        session = packet["Acct-Session-Id"][0]
        if request.kind == "Start":
            assert session not in online | ended
            online.add(session)
        assert session in online
        if request.kind == "Interim-Update":
            (told,) = packet["Acct-Input-Octets"]
            assert told > octets.get(session, 0)
            octets[session] = told
        if request.kind == "Stop":
            online.remove(session)
            ended.add(session)
    assert len(ended) > len(PEOPLE)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "users").write_text("user-1\tword 1\nuser-3\tword 3\t100.64.0.3\n")
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    return [
        "--users",
        str(tmp_path / "users"),
        "--secret-file",
        str(tmp_path / "secret"),
    ]


def test_the_command_prints_json_and_fails_when_something_was_lost(files, capsys):
    script = only("user-3", lambda request: [])
    with ScriptedServer(script) as server:
        words = [*files, "--auth-port", str(server.port), "--count", "4", "--json"]
        words += ["--rate", "100", "--wait", "0.1", "--tries", "1"]
        code = radius_load.main(["auth", *words])

    told = json.loads(capsys.readouterr().out)
    assert code == 1
    assert (told["sent"], told["answered"], told["lost"]) == (4, 2, 2)
    assert told["kinds"]["Access-Request"]["codes"] == {"Access-Accept": 2}
    assert told["kinds"]["Access-Request"]["latency_ms"]["p99"] > 0
    assert set(told["generator_lateness_ms"]) == {"p50", "p99", "max"}


@pytest.mark.parametrize("what", ["starts", "interims", "stops", "mix"])
def test_the_command_sends_each_kind_of_storm(files, capsys, what):
    with ScriptedServer(lambda request: [(0, answer(request))]) as server:
        port = str(server.port)
        words = [*files, "--auth-port", port, "--acct-port", port, "--count", "20"]
        code = radius_load.main([what, *words, "--window", "4"])

    assert code == 0
    assert "20 sent, 20 answered" in capsys.readouterr().out
    codes = {data[0] for data in server.came}
    assert codes == ({1, 4} if what == "mix" else {4})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["auth", "--count", "1"], "a window is needed"),
        (["auth", "--rate", "1", "--seconds", "0"], "packets"),
        (["mix", "--rate", "1", "--mix", "Stopp=1"], "Stopp is none of"),
        (["mix", "--rate", "1", "--mix", "Stop=-1"], "weights"),
        (["mix", "--rate", "1", "--mix", "Stop"], "float"),
        (["auth", "--rate", "1", "--count", "1", "--source", "192.0.2.1"], "assign"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(files, capsys, words, says):
    with pytest.raises(SystemExit) as refused:
        radius_load.main([*words, *files])

    assert refused.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("users", ["", "lonely\n", "a\tb\tc\td\n", "\tb\n"])
def test_a_list_of_users_that_is_none_is_refused(files, capsys, users, tmp_path):
    (tmp_path / "users").write_text(users)
    with pytest.raises(SystemExit):
        radius_load.main(["auth", *files, "--rate", "1", "--count", "1"])

    assert str(tmp_path / "users") in capsys.readouterr().err


def test_the_secret_may_stand_in_the_environment(files, monkeypatch, capsys):
    monkeypatch.setenv("RADIUS_SECRET", SECRET.decode())
    with ScriptedServer(lambda request: [(0, answer(request))]) as server:
        words = [*files[:2], "--auth-port", str(server.port), "--count", "1"]
        assert radius_load.main(["auth", *words, "--window", "1"]) == 0
        monkeypatch.delenv("RADIUS_SECRET")
        with pytest.raises(SystemExit):
            radius_load.main(["auth", *words, "--window", "1"])
