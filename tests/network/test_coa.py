"""Disconnect and CoA: from the row to the NAS's answer, and what is kept of it."""

from __future__ import annotations

import socket
import subprocess
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations, tasks
from apps.network.errors import SessionUnknown
from apps.network.models import CoaRequest, SessionLive
from apps.network.radius.coa import CoaOutcome
from dotmac.devtools.servers import free_port
from tests.network import edge
from tests.programs import RADIUS_SERVER, need

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_database")]


def _cut(session: SessionLive) -> CoaRequest:
    return operations.disconnect_session(
        session_key=session.session_key, generation=session.generation,
        actor=edge.ACTOR, now=timezone.now(),
    )  # fmt: skip


def _row() -> CoaRequest:
    return CoaRequest.objects.get()


def test_the_nas_gets_everything_that_names_the_session():
    with edge.ScriptedNas("ack") as nas:
        world = edge.build(coa_port=nas.port)
        _cut(edge.start(world, "0x8100", address="100.64.0.7"))

        tasks.send_coa_requests()

    (request,) = nas.requests
    assert request["User-Name"] == [world.account.login]
    assert request["Acct-Session-Id"] == ["0x8100"]
    assert request["NAS-IP-Address"] == ["127.0.4.1"]
    assert request["Framed-IP-Address"] == ["100.64.0.7"]
    assert abs(request["Event-Timestamp"][0] - time.time()) < 30
    assert nas.raw[0][20] == 80
    assert (_row().state, _row().attempts) == ("acknowledged", 1)
    # The session ends by its Stop, not by our belief.
    assert SessionLive.objects.get().stopped_at is None


def test_a_refusal_keeps_the_nas_words():
    with edge.ScriptedNas("nak 506") as nas:
        _cut(edge.start(edge.build(coa_port=nas.port)))

        tasks.send_coa_requests()

    assert (_row().state, _row().answer) == ("refused", "Resources-Unavailable")
    assert SessionLive.objects.get().stopped_at is None


def test_a_nas_that_does_not_know_the_session_ends_it():
    with edge.ScriptedNas("nak 503") as nas:
        session = edge.start(edge.build(coa_port=nas.port))
        _cut(session)

        tasks.send_coa_requests()

    assert _row().answer == "Session-Context-Not-Found"
    ended = SessionLive.objects.get()
    assert (ended.stopped_at, ended.cause) == (ended.seen_at, "nas-denies")
    assert ended.presumed_ended is True


def test_silence_is_tried_again_with_growing_pauses_and_then_given_up():
    nobody = free_port(kind=socket.SOCK_DGRAM)
    _cut(edge.start(edge.build(coa_port=nobody)))
    pauses = []
    for _ in range(operations.COA_ATTEMPTS_MAX - 1):
        tasks.send_coa_requests()
        row = _row()
        pauses.append((row.not_before - row.updated_at).total_seconds())
        assert row.state == "queued"
        assert tasks.send_coa_requests() == 0
        CoaRequest.objects.update(not_before=timezone.now())

    tasks.send_coa_requests()

    assert pauses == [5, 30, 120, 600]
    assert (_row().state, _row().attempts) == ("silent", operations.COA_ATTEMPTS_MAX)
    assert _row().answer.startswith("Not reachable")


@pytest.mark.parametrize("script", ["forged then ack", "silent"])
def test_only_a_genuine_answer_counts_and_a_lost_one_is_asked_for_again(script):
    with edge.ScriptedNas(script, "ack") as nas:
        _cut(edge.start(edge.build(coa_port=nas.port)))

        tasks.send_coa_requests()

    assert _row().state == "acknowledged"
    assert len(nas.raw) == (2 if script == "silent" else 1)
    assert len(set(nas.raw)) == 1


def test_a_forged_answer_alone_is_silence():
    with edge.ScriptedNas("forged", "forged") as nas:
        _cut(edge.start(edge.build(coa_port=nas.port)))

        tasks.send_coa_requests()

    assert _row().state == "queued"


def test_a_session_that_has_ended_is_left_alone():
    world = edge.build()
    session = edge.start(world)
    _cut(session)
    line = edge.radius_session()
    edge.account_packet(
        line, "Stop", login=world.account.login, nas="127.0.4.1", session_id="s1"
    )
    line.close()

    assert tasks.send_coa_requests() == 0

    assert _row().state == "obsolete"
    with pytest.raises(SessionUnknown):
        _cut(session)


def test_a_forgotten_login_is_in_no_request_and_the_waiting_one_still_cuts():
    with edge.ScriptedNas("ack") as nas:
        world = edge.build(coa_port=nas.port)
        session = edge.start(world, "0x8100")
        done = _cut(session)
        CoaRequest.objects.filter(pk=done.pk).update(state="acknowledged")
        account, now = world.account, timezone.now()
        operations.close_access(account_id=account.pk, actor=edge.ACTOR, now=now)

        operations.forget_accounts(account_ids=[account.pk], actor=edge.ACTOR, now=now)

        rows = CoaRequest.objects.order_by("pk").values_list("login", "acct_session_id")
        assert list(rows) == [(f"erased-{account.pk}", ""), ("", "0x8100")]
        CoaRequest.objects.update(not_before=now)
        tasks.send_coa_requests()

    (request,) = nas.requests
    assert "User-Name" not in request
    assert request["Acct-Session-Id"] == ["0x8100"]


def test_asking_twice_makes_one_request():
    session = edge.start(edge.build())

    assert _cut(session).pk == _cut(session).pk


def test_a_hold_disconnects_and_a_throttle_changes_the_speed_in_the_session():
    with edge.ScriptedNas() as nas:
        world = edge.build(coa_port=nas.port)
        edge.start(world)
        now = timezone.now()
        hold = {"account_id": world.account.pk, "actor": edge.ACTOR, "now": now}
        operations.place_hold(reason="quota", effect="throttle", **hold)
        assert tasks.send_coa_requests() == 1, "A change of speed waits for nothing."
        operations.place_hold(reason="non_payment", effect="walled_garden", **hold)
        assert tasks.send_coa_requests() == 0, "The page comes before the cut."
        CoaRequest.objects.update(not_before=now)
        tasks.send_coa_requests()

    change, cut = nas.requests
    assert (change.code, cut.code) == (43, 40)
    assert change["Mikrotik-Rate-Limit"] == ["512k/512k"]


def test_a_worker_that_died_loses_no_request():
    with edge.ScriptedNas() as nas:
        _cut(edge.start(edge.build(coa_port=nas.port)))
        now = timezone.now()
        assert len(operations.claim_coa_requests(now=now)) == 1
        assert operations.claim_coa_requests(now=now) == []

        assert operations.reconcile_coa(now=now + timedelta(seconds=59)) == 0
        assert operations.reconcile_coa(now=now + timedelta(seconds=61)) == 1
        CoaRequest.objects.update(not_before=now)
        tasks.send_coa_requests()

    assert (_row().state, _row().attempts) == ("acknowledged", 2)


def test_of_two_requests_for_a_session_the_newer_one_goes_on():
    session = edge.start(edge.build())
    first, now = _cut(session), timezone.now()
    (order,) = operations.claim_coa_requests(now=now)
    second = _cut(session)

    silence = CoaOutcome(state="silent", answer="No answer.")
    operations.settle_coa_requests(answers=[(order, silence)], now=now)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("obsolete", "queued")


def test_an_answer_after_the_row_was_settled_changes_nothing():
    _cut(edge.start(edge.build()))
    now = timezone.now()
    (order,) = operations.claim_coa_requests(now=now)
    good = CoaOutcome(state="acknowledged")
    operations.settle_coa_requests(answers=[(order, good)], now=now)

    for state, answer in (("refused", "Session-Context-Not-Found"), ("silent", "")):
        late = CoaOutcome(state=state, answer=answer)
        operations.settle_coa_requests(answers=[(order, late)], now=now)

    assert _row().state == "acknowledged"
    assert SessionLive.objects.get().stopped_at is None


@pytest.mark.parametrize(("state", "answer"), [("acknowledged", ""), ("silent", "")])
def test_an_answer_settles_only_the_claim_that_it_belongs_to(state, answer):
    _cut(edge.start(edge.build()))
    now = timezone.now()
    (first,) = operations.claim_coa_requests(now=now)
    operations.reconcile_coa(now=now + timedelta(seconds=61))
    CoaRequest.objects.update(not_before=now)
    (second,) = operations.claim_coa_requests(now=now)

    late = CoaOutcome(state=state, answer=answer)
    operations.settle_coa_requests(answers=[(first, late)], now=now)

    assert (_row().state, second.attempt) == ("sending", 2)


def test_a_login_in_flight_while_the_hold_was_placed_is_found_later():
    world = edge.build()
    now = timezone.now()
    operations.place_hold(
        account_id=world.account.pk, reason="non_payment", effect="walled_garden",
        actor=edge.ACTOR, now=now,
    )  # fmt: skip
    edge.start(world, event=str(int(now.timestamp())))

    assert operations.reconcile_coa(now=now + timedelta(seconds=20)) == 0
    assert operations.reconcile_coa(now=now + timedelta(seconds=31)) == 1
    assert operations.reconcile_coa(now=now + timedelta(seconds=32)) == 0

    assert _row().reason == "reconciled: non_payment"


def test_secrets_are_not_shown_with_an_order():
    _cut(edge.start(edge.build()))

    (order,) = operations.claim_coa_requests(now=timezone.now())

    assert edge.SECRET not in repr(order)


FREERADIUS_NAS = """
prefix = /usr
libdir = {libdir}
logdir = {folder}
run_dir = {folder}
raddbdir = {folder}
pidfile = {folder}/pid
log {{
	destination = stdout
}}
client platform {{
	ipaddr = 127.0.0.1
	secret = {secret}
	require_message_authenticator = yes
}}
modules {{
	always ok {{
		rcode = ok
	}}
	always reject {{
		rcode = reject
	}}
}}
server nas {{
	listen {{
		type = coa
		ipaddr = 127.0.4.1
		port = {port}
		virtual_server = nas
	}}
	recv-coa {{
		if (&Acct-Session-Id == "known") {{
			ok
		}}
		else {{
			update reply {{
				&Error-Cause := Session-Context-Not-Found
			}}
			reject
		}}
	}}
	send-coa {{
		ok
	}}
}}
"""


@pytest.mark.parametrize(
    ("session_id", "state"), [("known", "acknowledged"), ("unknown", "refused")]
)
def test_freeradius_as_a_nas_understands_us(tmp_path, session_id, state):
    """Packets that a program which we did not write verifies and answers."""
    from apps.network.radius import freeradius

    need(*RADIUS_SERVER)
    port = free_port(kind=socket.SOCK_DGRAM)
    facts = {
        "libdir": freeradius.module_dir(), "folder": tmp_path, "port": port,
        "secret": edge.SECRET,
    }  # fmt: skip
    (tmp_path / "radiusd.conf").write_text(FREERADIUS_NAS.format(**facts))
    (tmp_path / "dictionary").write_text("")
    log = (tmp_path / "log").open("w")
    nas = subprocess.Popen(
        freeradius.run_command(tmp_path),
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
    )
    try:
        _cut(edge.start(edge.build(coa_port=port), session_id))
        deadline = time.monotonic() + 15
        while _row().state == "queued" and time.monotonic() < deadline:
            CoaRequest.objects.update(not_before=timezone.now())
            tasks.send_coa_requests()
    finally:
        nas.terminate()
        nas.wait()
        log.close()

    assert _row().state == state, (tmp_path / "log").read_text()
