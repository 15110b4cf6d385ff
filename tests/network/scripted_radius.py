"""A RADIUS server that answers by script, for tools/load to be tried on."""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import time

from pyrad.packet import AuthPacket

from apps.network.radius.packets import dictionary
from tools.load.engine import Pace, Server, run
from tools.load.plan import Maker, Subscriber

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
