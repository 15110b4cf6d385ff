"""An edge for tests: sessions that packets made, and a NAS that answers by script."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from types import SimpleNamespace
from typing import Any, Self

from django.conf import settings
from django.utils import timezone
from pyrad.packet import CoAPacket, DisconnectRequest

from apps.network import operations
from apps.network.models import SessionLive
from apps.network.radius import packets
from apps.network.radius.database import (
    AccountingFacts,
    RadiusDatabase,
    RadiusSession,
    encoded,
    session_settings,
)
from dotmac.core.actors import system_actor
from dotmac.core.models import keyring

ACTOR = system_actor("tests")
SECRET = "edge-secret-of-tests"


def radius_session() -> RadiusSession:
    """A connection as role radius to the test's own database."""
    return RadiusSession(
        RadiusDatabase.from_url(os.environ["RADIUS_DATABASE_URL"]),
        lambda: session_settings(keyring(), settings.OPERATOR_TIME_ZONE),
    )


def account_packet(
    session: RadiusSession, status: str, *, login: str, nas: str, session_id: str,
    address: str = "", mac: bytes = b"", event: str = "", seconds: str = "",
    octets: str = "", cause: str = "",
) -> bool:  # fmt: skip
    """What the servers do with an Accounting-Request, without the wire."""
    return session.account(
        AccountingFacts(
            status=status, login=encoded(login.encode()), nas=nas,
            session=encoded(session_id.encode()), address=address, mac=encoded(mac),
            event=event, seconds=seconds, octets_in=octets, octets_out=octets,
            cause=cause,
        )
    )  # fmt: skip


def build(*, coa_port: int = 3799, address: str = "127.0.4.1", **account: Any):
    """A NAS, a profile and one account."""
    now = timezone.now()
    nas = operations.create_nas(
        name=f"edge {address}", address=address, secret=SECRET, coa_port=coa_port,
        actor=ACTOR, now=now,
    )  # fmt: skip
    profile = operations.create_rate_profile(
        name=uuid.uuid4().hex, down_kbps=20_000, up_kbps=10_000, actor=ACTOR, now=now
    )
    made = operations.open_access(
        login=f"edge-{uuid.uuid4().hex[:8]}", password="right horse",
        profile_id=profile.pk, actor=ACTOR, now=now, **account,
    )  # fmt: skip
    return SimpleNamespace(nas=nas, profile=profile, account=made)


def start(world, session_id: str = "s1", **facts: Any) -> SessionLive:
    """Bring the account on line by an accounting packet."""
    session = radius_session()
    try:
        assert account_packet(
            session, "Start", login=world.account.login,
            nas=str(world.nas.address), session_id=session_id, **facts,
        )  # fmt: skip
    finally:
        session.close()
    return SessionLive.objects.get(acct_session_id=session_id)


class ScriptedNas:
    """Answers Disconnect and CoA the way its script says, and notes what came."""

    def __init__(self, *script: str, address: str = "127.0.4.1") -> None:
        self.script = list(script)
        self.requests: list[CoAPacket] = []
        self.raw: list[bytes] = []
        self.peers: list[tuple[str, int]] = []
        self._door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._door.bind((address, 0))
        self._door.settimeout(0.1)
        self.port = self._door.getsockname()[1]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        self._door.close()

    def _serve(self) -> None:
        while not self._done.is_set():
            try:
                data, peer = self._door.recvfrom(4096)
            except TimeoutError:
                continue
            request = CoAPacket(
                packet=data, secret=SECRET.encode(), dict=packets.dictionary()
            )
            self.requests.append(request)
            self.raw.append(data)
            self.peers.append(peer)
            word = self.script.pop(0) if self.script else "ack"
            for answer in self._answers(request, word):
                self._door.sendto(answer, peer)

    def _answers(self, request: CoAPacket, word: str) -> list[bytes]:
        if not request.VerifyCoARequest() or not request.verify_message_authenticator():
            return []
        reply = request.CreateReply()
        reply.add_message_authenticator()
        if word.startswith("nak"):
            reply.code = 42 if request.code == DisconnectRequest else 45
            if cause := word.removeprefix("nak").strip():
                reply.AddAttribute("Error-Cause", int(cause))
        good = reply.ReplyPacket()
        forged = good[:4] + bytes(16) + good[20:]
        return {
            "silent": [],
            "forged": [forged],
            "forged then ack": [forged, b"\x00", good],
        }.get(word, [good])
