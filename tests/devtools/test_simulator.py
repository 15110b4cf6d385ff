"""The simulated network against a small RADIUS server of pyrad."""

import asyncio
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pyrad.packet import AcctPacket, AuthPacket, CoAPacket

from dotmac.devtools.servers import free_port
from dotmac.devtools.simulator import traffic, wire
from dotmac.devtools.simulator.nas import NasFacts, RadiusServer
from dotmac.devtools.simulator.network import Network
from dotmac.devtools.simulator.subscribers import SubscriberFacts

LAGOS = ZoneInfo("Africa/Lagos")
SECRET = "a-secret-of-the-test"


class PlainServer:
    """Accepts one login by PAP and keeps every accounting record."""

    def __init__(self):
        self.sockets = [self._socket() for _ in range(2)]
        self.auth_port, self.acct_port = (s.getsockname()[1] for s in self.sockets)
        self.records, self.stopping = [], threading.Event()
        self.threads = [
            threading.Thread(target=self._serve, args=(s, i))
            for i, s in enumerate(self.sockets)
        ]

    @staticmethod
    def _socket():
        found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        found.bind(("127.0.0.1", 0))
        found.settimeout(0.1)
        return found

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        for each in self.sockets:
            each.close()

    def _serve(self, listening, accounting):
        while not self.stopping.is_set():
            try:
                raw, peer = listening.recvfrom(4096)
            except TimeoutError:
                continue
            reply = self._account(raw) if accounting else self._admit(raw)
            listening.sendto(reply.ReplyPacket(), peer)

    def _account(self, raw):
        packet = AcctPacket(packet=raw, secret=SECRET.encode(), dict=wire.dictionary())
        assert packet.VerifyAcctRequest()
        self.records.append(wire.attributes_of(packet))
        return packet.CreateReply()

    def _admit(self, raw):
        packet = AuthPacket(packet=raw, secret=SECRET.encode(), dict=wire.dictionary())
        reply = packet.CreateReply()
        good = packet.PwDecrypt(packet["User-Password"][0]) == "right"
        reply.code = 2 if good else 3
        if good:
            reply["Mikrotik-Rate-Limit"] = "5M/10M"
            reply["Framed-IP-Address"] = "100.64.0.9"
            reply["Class"] = b"7"
        reply.add_message_authenticator()
        return reply


def network(server, *, password="right", address="127.0.1.77"):
    facts = NasFacts(
        name="bng-test",
        address=address,
        secret=SECRET,
        coa_port=free_port(address, socket.SOCK_DGRAM),
    )
    line = SubscriberFacts(
        login="ada", password=password, mac="02:00:00:00:00:01", interim_s=10
    )
    return Network(
        server=RadiusServer(host="127.0.0.1", auth_port=server.auth_port, acct_port=server.acct_port),
        nases=[facts], subscribers=[line], zone=LAGOS,
    )  # fmt: skip


def live(story, server):
    """In a thread of its own: a browser of other tests may keep a loop in this one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(story(server))).result()


async def until(condition, limit_s=10):
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)


def ask(nas, code, session_id, secret=SECRET):
    """Send a CoA- or Disconnect-Request; the code of the answer or None."""
    packet = CoAPacket(code=code, id=1, secret=secret.encode(), dict=wire.dictionary())
    packet["Acct-Session-Id"] = session_id
    if code == wire.COA_REQUEST:
        packet["Mikrotik-Rate-Limit"] = "1M/2M"
    packet.add_message_authenticator()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.sendto(packet.RequestPacket(), (nas.facts.address, nas.facts.coa_port))
        try:
            return asking.recv(4096)[0]
        except TimeoutError:
            return None


def test_a_line_lives_obeys_and_ends():
    async def story(server):
        simulated = network(server)
        running = asyncio.create_task(simulated.run())
        line, nas = simulated.lines[0], simulated.nases[0]
        await until(lambda: line.session_id)
        await until(
            lambda: any(r["Acct-Status-Type"] == "Start" for r in server.records)
        )
        session_id = line.session_id
        assert (
            await asyncio.to_thread(ask, nas, wire.COA_REQUEST, session_id)
            == wire.COA_ACK
        )
        assert line.down_kbps == 2000
        assert (
            await asyncio.to_thread(ask, nas, wire.DISCONNECT_REQUEST, "nobody")
            == wire.DISCONNECT_NAK
        )
        assert (
            await asyncio.to_thread(
                ask, nas, wire.DISCONNECT_REQUEST, session_id, "forged"
            )
            is None
        )
        assert line.session_id == session_id
        assert (
            await asyncio.to_thread(ask, nas, wire.DISCONNECT_REQUEST, session_id)
            == wire.DISCONNECT_ACK
        )
        await until(
            lambda: any(r["Acct-Status-Type"] == "Stop" for r in server.records)
        )
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return session_id

    with PlainServer() as server:
        session_id = live(story, server)
    statuses = [record["Acct-Status-Type"] for record in server.records]
    assert statuses == ["Accounting-On", "Start", "Stop"]
    stop = server.records[-1]
    assert (stop["Acct-Session-Id"], stop["User-Name"], stop["Class"]) == (
        session_id,
        "ada",
        b"7",
    )
    assert stop["Framed-IP-Address"] == "100.64.0.9"


def test_a_refused_line_sends_no_accounting():
    async def story(server):
        simulated = network(server, password="wrong", address="127.0.1.78")
        running = asyncio.create_task(simulated.run())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with PlainServer() as server:
        live(story, server)
    assert [record["Acct-Status-Type"] for record in server.records] == [
        "Accounting-On"
    ]


def test_a_line_that_is_stopped_as_the_answer_comes_stops():
    """Else it dials again, and whoever stops the simulator waits for ever."""

    async def story(server):
        nas = network(server, address="127.0.1.79").nases[0]
        await nas.start()
        asking = asyncio.create_task(nas.account(Acct_Status_Type="Start"))
        await asyncio.sleep(0)
        (answer,) = nas._acct[1].waiting.values()
        answer.set_result(b"")
        # One turn later the answer is there, and the asking task not yet awake.
        asyncio.get_running_loop().call_soon(asking.cancel)
        await asyncio.wait([asking], timeout=5)
        nas.stop()
        return asking.cancelled()

    with PlainServer() as server:
        assert live(story, server) is True


@pytest.mark.unit
def test_evenings_are_busier_than_nights_and_no_line_is_overrun():
    night, evening = (
        datetime(2026, 11, 23, hour, 30, tzinfo=LAGOS) for hour in (4, 20)
    )
    assert traffic.share_at(evening) > 5 * traffic.share_at(night)
    dice = random.Random(1)
    for _ in range(200):
        up, down = traffic.octets(
            down_kbps=10_000, seconds=60, local=evening, taste=40.0, dice=dice
        )
        assert 0 <= up < down <= 10_000 * 125 * 60
