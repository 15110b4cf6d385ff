"""tools/load counts what a scripted server does to it."""

from __future__ import annotations

import struct
from collections import Counter

import pytest
from pyrad.packet import AuthPacket

from apps.network.radius.methods import check_password
from apps.network.radius.packets import dictionary
from tests.network.scripted_radius import (
    MAKER,
    PEOPLE,
    SECRET,
    ScriptedServer,
    answer,
    login_of,
    md5,
    only,
)
from tools.load import packets, plan
from tools.load.engine import Pace

pytestmark = pytest.mark.unit


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
