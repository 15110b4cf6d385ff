"""What a program that plays a NAS does on its CoA port."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import Any, Self

from dotmac.devtools.simulator import wire


@dataclass
class CoaListener:
    """Answers every signed Disconnect- or CoA-Request with an ACK and keeps it."""

    address: str
    port: int
    secret: str
    requests: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, self.port))
        self._socket.settimeout(0.2)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                raw, peer = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            packet = wire.read_coa(raw, self.secret.encode())
            facts = wire.attributes_of(packet)
            self.requests.append((packet.code, facts))
            ack = (
                wire.DISCONNECT_ACK
                if packet.code == wire.DISCONNECT_REQUEST
                else wire.COA_ACK
            )
            self._socket.sendto(wire.coa_answer(packet, ack), peer)

    def disconnected(self, session_id: str) -> bool:
        return any(
            code == wire.DISCONNECT_REQUEST
            and facts.get("Acct-Session-Id") == session_id
            for code, facts in self.requests
        )
