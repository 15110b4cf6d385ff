"""A subscriber who writes into the tunnel of EAP-TTLS whatever he likes (RFC 5281)."""

from __future__ import annotations

import os
import ssl
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import wire
from tests.conformance.peer import Reply, reply

IDENTITY, NAK, TTLS = 1, 3, 21
ACCEPT, CHALLENGE = 2, 11
STATE, EAP_MESSAGE = 24, 79
_LENGTH, _MORE = 0x80, 0x40


def avp(code: int, value: bytes) -> bytes:
    """An attribute as Diameter has it, which is what TTLS carries."""
    head = struct.pack("!IBB", code, 0x40, 0) + struct.pack("!H", 8 + len(value))
    return head + value + b"\0" * (-len(value) % 4)


def pap(login: bytes, password: bytes) -> bytes:
    return avp(1, login) + avp(2, password + b"\0" * (-len(password) % 16))


@dataclass
class Tunnel:
    """One EAP-TTLS conversation with the server at `port`."""

    port: int
    secret: bytes
    ca: Path
    name: str
    mac: str
    state: bytes = b""
    identifier: int = 0
    # Of the TLS underneath, to be taken up again by another conversation.
    context: ssl.SSLContext | None = None
    session: ssl.SSLSession | None = None
    resumed: bool = False

    def log_in(self, attributes: bytes) -> Reply | None:
        """Build the tunnel, send the attributes; the last answer, None for silence."""
        self._send(IDENTITY, b"anonymous")
        eap = self._send(NAK, bytes([TTLS]))
        assert eap[4] == TTLS
        here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.context = self.context or ssl.create_default_context(cafile=self.ca)
        tls = self.context.wrap_bio(
            here, there, server_hostname=self.name, session=self.session
        )
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                here.write(self._exchange(there.read()))
        self.session, self.resumed = tls.session, bool(tls.session_reused)
        tls.write(attributes)
        return self._ask(TTLS, b"\0" + there.read())

    def _exchange(self, data: bytes) -> bytes:
        """Send TLS records, gather those of the answer from their fragments."""
        gathered = b""
        while True:
            flags, part = self._part(self._send(TTLS, b"\0" + data))
            gathered, data = gathered + part, b""
            if not flags & _MORE:
                return gathered

    @staticmethod
    def _part(eap: bytes) -> tuple[int, bytes]:
        flags = eap[5]
        return flags, eap[10:] if flags & _LENGTH else eap[6:]

    def _send(self, kind: int, data: bytes) -> bytes:
        """One round that must go on: the EAP packet of the challenge."""
        answer = self._ask(kind, data)
        assert answer is not None
        assert answer.code == CHALLENGE
        self.state = answer.value(STATE)
        eap = b"".join(value for name, value in answer.pairs if name == EAP_MESSAGE)
        self.identifier = eap[1]
        return eap

    def _ask(self, kind: int, data: bytes) -> Reply | None:
        eap = struct.pack("!BBHB", 2, self.identifier, 5 + len(data), kind) + data
        body = wire.attribute(1, b"anonymous")
        if self.mac:
            body += wire.attribute(31, self.mac.encode())
        for start in range(0, len(eap), 253):
            body += wire.attribute(EAP_MESSAGE, eap[start : start + 253])
        if self.state:
            body += wire.attribute(STATE, self.state)
        request = wire.signed_request(
            body, self.secret, identifier=os.urandom(1)[0], authenticator=os.urandom(16)
        )
        data = wire.ask(self.port, request, wait_s=2.0)
        return reply(data) if data else None
