"""tools/radius_load.py counts what a scripted server does to it."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import struct
import threading
import time
from collections import Counter

import pytest
from pyrad.packet import AcctPacket, AuthPacket

from apps.network.radius.methods import check_password
from apps.network.radius.packets import dictionary
from tools import radius_load
from tools.load import packets, plan
from tools.load.engine import Pace, Server, run
from tools.load.plan import Maker, Subscriber

pytestmark = pytest.mark.unit
SECRET = b"shared with the load"
PEOPLE = [Subscriber(f"user-{n}", f"word {n}") for n in range(8)]
MAKER = Maker(secret=SECRET, prefix="t")
QUICK = {"wait_s": 0.1, "tries": 2, "linger_s": 0.3}


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def answer(request: bytes, code: int = 0, secret: bytes = SECRET) -> bytes:
    """A right answer unless told otherwise."""
    code = code or {1: 2, 4: 5}[request[0]]
    head = struct.pack("!BBH", code, request[1], 20)
    return head + md5(head + request[4:20] + secret)


class ScriptedServer:
    """Answers as the script says: from the request, seconds to wait and the datagram."""

    def __init__(self, script) -> None:
        self.script = script
        self.came: list[bytes] = []
        self.door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.door.bind(("127.0.0.1", 0))
        self.door.settimeout(0.01)
        self.port = self.door.getsockname()[1]
        self._later: list[tuple[float, bytes, tuple]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self._thread.join()
        self.door.close()

    def _serve(self):
        while not self._done.is_set():
            try:
                data, peer = self.door.recvfrom(4096)
            except TimeoutError:
                pass
            else:
                self.came.append(data)
                for delay, said in self.script(data):
                    self._later.append((time.monotonic() + delay, said, peer))
            now = time.monotonic()
            for due in [later for later in self._later if later[0] <= now]:
                self._later.remove(due)
                self.door.sendto(due[1], due[2])

    def ask(self, requests, **pace):
        where = ("127.0.0.1", self.port)
        server = Server(auth=where, acct=where, secret=SECRET)
        return run(requests, server=server, pace=Pace(**{"rate": 200, **QUICK, **pace}))


def login_of(request: bytes) -> str:
    packet = AuthPacket(packet=request, secret=SECRET, dict=dictionary())
    return str(packet["User-Name"][0])


def only(login: str, odd, rest=lambda request: [(0, answer(request))]):
    """A script that treats one login otherwise."""
    return lambda request: (odd if login_of(request) == login else rest)(request)


def test_all_is_well_when_all_is_answered():
    script = lambda request: [(0.05, answer(request))]  # noqa: E731
    with ScriptedServer(script) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 40), wait_s=5)

    tally = results.kinds["Access-Request"]
    assert (results.sent, results.answered, len(server.came)) == (40, 40, 40)
    assert (results.lost, results.unexpected, tally.late) == (0, 0, 0)
    assert tally.codes == Counter({packets.ACCESS_ACCEPT: 40})
    # No answer came before the server sent it.
    assert tally.took_ms(0) >= 50
    # 40 at 200 a second.
    assert results.seconds >= 39 / 200


def test_what_is_never_answered_is_lost_after_its_tries():
    with ScriptedServer(only("user-3", lambda request: [])) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 16), tries=3)

    assert (results.sent, results.answered, results.lost) == (16, 14, 2)
    assert results.repeated_sends == 4
    asked = [data for data in server.came if login_of(data) == "user-3"]
    # A repetition is the same packet (RFC 5080, 2.2.1): same id, same authenticator.
    assert sorted(Counter(asked).values()) == [3, 3]
    assert (results.unexpected, results.kinds["Access-Request"].late) == (0, 0)


def test_an_answer_after_the_last_wait_is_lost_and_late():
    slow = lambda request: [(0.35, answer(request))]  # noqa: E731
    with ScriptedServer(only("user-3", slow)) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 8), tries=1, linger_s=1)

    tally = results.kinds["Access-Request"]
    assert (results.sent, results.answered, results.lost, tally.late) == (8, 7, 1, 1)
    assert results.unexpected == 0
    # It is in no percentile.
    assert len(tally.took_ns) == 7


def test_an_answer_to_the_repetition_counts_from_the_first_sending():
    seen: Counter[bytes] = Counter()

    def script(request):
        seen[request] += 1
        return [(0, answer(request))] if seen[request] == 2 else []

    with ScriptedServer(script) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 1), wait_s=0.2)

    tally = results.kinds["Access-Request"]
    assert (results.answered, results.lost, tally.repeated_sends) == (1, 0, 1)
    assert 200 <= tally.took_ms(0.5) < 400


def test_a_second_answer_is_not_counted_as_an_answer():
    twice = lambda request: [(0, answer(request)), (0, answer(request))]  # noqa: E731
    with ScriptedServer(only("user-3", twice)) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 16))

    assert (results.answered, results.lost, results.unexpected) == (16, 0, 0)
    assert results.kinds["Access-Request"].repeated_answers == 2


def test_another_code_is_unexpected_and_kept():
    refuse = lambda request: [(0, answer(request, packets.ACCESS_REJECT))]  # noqa: E731
    with ScriptedServer(only("user-3", refuse)) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 8))

    assert (results.answered, results.lost, results.unexpected) == (8, 0, 1)
    assert results.kept == [
        {"kind": "Access-Request", "login": "user-3", "answer": "Access-Reject"}
    ]


def test_a_reject_is_right_where_the_password_is_wrong():
    def script(request):
        packet = AuthPacket(packet=request, secret=SECRET, dict=dictionary())
        clear = packet["User-Name"][0].replace("user-", "word ")
        right = check_password(packet, clear) and packet.verify_message_authenticator()
        return [(0, answer(request, 2 if right else 3))]

    requests = plan.logins(
        MAKER, PEOPLE, 24, methods=("pap", "chap"), wrong_every=3
    )  # fmt: skip
    with ScriptedServer(script) as server:
        results = server.ask(requests)

    assert results.kinds["Access-Request"].codes == Counter({2: 16, 3: 8})
    assert (results.lost, results.unexpected) == (0, 0)


@pytest.mark.parametrize(
    "forge",
    [
        lambda request: answer(request, secret=b"guessed"),
        lambda request: answer(request)[:-1],
        lambda request: b"",
        lambda request: answer(bytes([1, request[1] ^ 128]) + request[2:]),
    ],
    ids=["another secret", "cut short", "empty", "another id"],
)
def test_a_forged_answer_answers_nothing(forge):
    script = only("user-3", lambda request: [(0, forge(request))])
    with ScriptedServer(script) as server:
        results = server.ask(plan.logins(MAKER, PEOPLE, 8))

    assert (results.answered, results.lost) == (7, 1)
    # Once for each of the two tries.
    assert (results.foreign, results.unexpected) == (2, 2)


def test_a_wrong_signature_in_an_answer_is_noticed():
    request = MAKER.login(0, PEOPLE[0], "pap").data

    def signed(mark: bytes) -> bytes:
        body = packets.attribute(80, mark)
        head = struct.pack("!BBH", 2, 0, 38)
        return head + md5(head + request[4:20] + body + SECRET) + body

    packet = AuthPacket(packet=request, secret=SECRET, dict=dictionary())
    reply = packet.CreateReply()
    reply.code = 2
    reply.add_message_authenticator()
    assert packets.is_genuine(reply.ReplyPacket(), request, SECRET)
    assert not packets.is_genuine(signed(bytes(16)), request, SECRET)


def test_a_generator_that_cannot_keep_its_schedule_says_so():
    script = lambda request: [(0, answer(request))]  # noqa: E731
    many = plan.logins(MAKER, PEOPLE, 150)
    with ScriptedServer(script) as server:
        hurried = server.ask(many, rate=10_000_000, wait_s=5)

    # All were due in the first 15 µs, in which nobody sends 150 packets.
    assert len(hurried.lateness) == hurried.answered == 150
    late = hurried.facts()["generator_lateness_ms"]
    assert late["p99"] >= late["p50"] > 0


def test_a_window_bounds_what_is_outstanding():
    waiting, most = set(), [0]

    def script(request):
        waiting.add(request)
        most[0] = max(most[0], len(waiting))
        if len(waiting) < 4:
            return []
        done = [(0, answer(each)) for each in waiting]
        waiting.clear()
        return done

    # The first 256 packets leave from one socket, to which all answers go here.
    with ScriptedServer(script) as server:
        results = server.ask(
            plan.logins(MAKER, PEOPLE, 200), rate=0, window=4, wait_s=5
        )

    assert (results.answered, results.lost, results.unexpected) == (200, 0, 0)
    assert most == [4]
    assert results.lateness == []


def test_without_a_rate_a_window_is_needed():
    for wrong in ({}, {"rate": 5, "tries": 0}, {"rate": 5, "wait_s": 0}):
        with pytest.raises(ValueError, match=r"needed|waited for"):
            Pace(**wrong)


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


def test_in_a_mixture_every_session_begins_before_it_ends():
    weights = {"Access-Request": 1, "Start": 1, "Interim-Update": 2, "Stop": 3}
    requests = plan.mixture(MAKER, PEOPLE, 2000, weights, random.Random(5))

    counted = Counter(request.kind for request in requests)
    assert set(counted) == set(plan.KINDS)
    assert sum(counted.values()) == 2000
    online: set[str] = set()
    ended: set[str] = set()
    for request in requests:
        if request.kind == "Access-Request":
            continue
        session = decoded(request)["Acct-Session-Id"][0]
        if request.kind == "Start":
            assert session not in online | ended
            online.add(session)
        assert session in online
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
