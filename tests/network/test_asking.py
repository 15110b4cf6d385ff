"""Asking a server of somebody else: what counts as its answer, and what does not."""

from __future__ import annotations

import hashlib
import socket
import struct
import threading

import pytest
from pyrad.packet import AccessAccept, AccessChallenge, AccessReject, AuthPacket

from apps.network.radius import packets
from apps.network.radius.asking import Door, Login, ask
from apps.network.rules.imports.comparison import Answer

pytestmark = pytest.mark.integration
HERE, SECRET = "127.13.0.7", b"of the old server"


def unsigned(request: AuthPacket, code: int = AccessAccept) -> bytes:
    """A genuine answer without a Message-Authenticator, as old servers send it
    (RFC 2865 3: MD5 over the answer, the request's authenticator and the secret)."""
    attributes = bytes((8, 6, 100, 64, 0, 7))
    head = struct.pack("!BBH", code, request.id, 20 + len(attributes))
    whole = head + request.authenticator + attributes + SECRET
    digest = hashlib.md5(whole, usedforsecurity=False).digest()
    return head + digest + attributes


def signed(request: AuthPacket) -> bytes:
    reply = request.CreateReply()
    reply.AddAttribute("Session-Timeout", 60)
    reply.add_message_authenticator()
    return bytes(reply.ReplyPacket())


def forged(request: AuthPacket) -> bytes:
    data = bytearray(unsigned(request))
    data[4] ^= 1
    return bytes(data)


@pytest.fixture
def server():
    """Answers each packet with all that the given makers make of it, in their order."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((HERE, 0))
        threads = []

        def answering(*makers):
            def run() -> None:
                data, peer = line.recvfrom(packets.PACKET_BYTES_MAX)
                request = packets.decode_auth(data, SECRET)
                for make in makers:
                    line.sendto(make(request), peer)

            threads.append(threading.Thread(target=run, daemon=True))
            threads[-1].start()
            return line.getsockname()

        yield answering
        for thread in threads:
            thread.join(timeout=5)


def asked(address, *, must_sign: bool = False, **facts) -> Answer:
    door = Door(
        server=address, secret=SECRET, source=HERE, signed=must_sign, timeout_s=0.5,
        tries=1,
    )  # fmt: skip
    return ask(door, Login(name="ada", password="x", nas_address=HERE, **facts))


def test_an_old_server_need_not_sign_and_dotmac_must(server):
    told = Answer("accepted", (("Framed-IP-Address", "100.64.0.7"),))
    assert asked(server(unsigned)) == told
    assert asked(server(unsigned), must_sign=True).verdict == "silent"
    answer = asked(server(signed), must_sign=True, mac="AA:BB:CC:00:11:22", chap=True)
    assert dict(answer.attributes)["Session-Timeout"] == "60"


def test_what_is_not_genuine_is_passed_over(server):
    noise = lambda _request: b"\x02 too short"  # noqa: E731
    other = lambda request: unsigned(request, AccessChallenge)  # noqa: E731
    refusal = lambda request: unsigned(request, AccessReject)  # noqa: E731

    def of_another(request):
        data = bytearray(unsigned(request))
        data[1] ^= 1  # another request's number
        return bytes(data)

    makers = (noise, forged, of_another, other, refusal)
    assert asked(server(*makers)).verdict == "rejected"


def test_nobody_there_is_silence():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((HERE, 0))
        address = line.getsockname()
    assert asked(address).verdict == "silent"
