"""How long a change of speed takes from its commit to the NAS's CoA-ACK.

The NAS is a socket here that answers and notes when; the changes are made in a
process of their own (`tools.bench.inside change_speeds`), which notes when each was
committed. All clocks are the machine's one.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Self

from pyrad.packet import CoAPacket

from apps.network.radius import packets
from dotmac.devtools.context import manage
from tools.bench.cpu import Meter, Series, percentile
from tools.bench.page import Bar, Section
from tools.bench.site import Bench, Site, running

ADDRESS = "127.16.0.1"
THREADS = 8
P99_BAR_S = 2.0
WAIT_S = 60.0


class AnsweringNas:
    """Acknowledges every genuine CoA at once; when, by the session's id."""

    def __init__(self, secret: str) -> None:
        self.answered: dict[str, float] = {}
        self.requests = 0
        self._secret = secret.encode()
        self._door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._door.bind((ADDRESS, 0))
        self._door.settimeout(0.2)
        self.port = int(self._door.getsockname()[1])
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
                data, peer = self._door.recvfrom(packets.PACKET_BYTES_MAX)
            except TimeoutError:
                continue
            request = CoAPacket(
                packet=data, secret=self._secret, dict=packets.dictionary()
            )
            if not request.VerifyCoARequest():
                continue
            self.requests += 1
            self._door.sendto(request.CreateReply().ReplyPacket(), peer)
            session = packets.text(request, "Acct-Session-Id")
            self.answered.setdefault(session, time.time())


def run(bench: Bench, *, changes: int, rounds: int, stamp: str) -> Section:
    """Changes at once by threads, again each round, each to the other speed."""
    site = bench.make("coa", customers=0, services=False)
    sealed = "the same for all"
    site.inside("subscribers", first=0, count=changes, password=sealed)
    secret = site.inside("nas", address=ADDRESS)["secret"]
    taken: list[list[float]] = []
    rates: list[float] = []
    cpu: list[float] = []
    with AnsweringNas(secret) as nas:
        site.execute("UPDATE network_nas SET coa_port = %s", nas.port)
        site.inside("lines", address=ADDRESS)
        words, folder = manage("run_coa_sender"), site.folder
        with running("coa", words, site.environment(), folder) as sender:
            assert sender.pid is not None
            for number in range(rounds + 1):
                nas.answered.clear()
                meter = Meter({"sender": sender.pid})
                made = site.inside("change_speeds", threads=THREADS)
                took = _took(nas, made["committed"])
                if number:  # the first opened connections and read the maps
                    taken.append(took)
                    rates.append(changes / made["seconds"])
                    cpu.append(meter.read()["sender"] / changes * 1e3)
    return _section(site, nas, taken, rates, cpu, stamp=stamp)


def _took(nas: AnsweringNas, committed: dict[str, float]) -> list[float]:
    """Seconds from each commit to its ACK; endless where none came."""
    until = time.monotonic() + WAIT_S
    while len(nas.answered) < len(committed) and time.monotonic() < until:
        time.sleep(0.05)
    return [
        nas.answered.get(session, float("inf")) - at
        for session, at in committed.items()
    ]


def _section(
    site: Site, nas: AnsweringNas, taken: list[list[float]], rates: list[float],
    cpu: list[float], *, stamp: str,
) -> Section:  # fmt: skip
    shares = {"p50": 0.5, "p99": 0.99, "slowest": 1.0}
    found = {
        name: Series([percentile(round_, share) for round_ in taken])
        for name, share in shares.items()
    }
    rows = site.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = 'acknowledged') FROM network_coarequest"
    )
    asked, acknowledged = rows[0]
    cells = [f"{found[name].text(2)}" for name in shares]
    return Section(
        name="coa",
        title="Change of a speed, to the NAS",
        stamp=stamp,
        settings=(
            f"{len(taken[0])} accounts on line on one NAS; {THREADS} threads of one process call "
            "change_access for all of them as fast as they can, each in its own transaction, "
            "while `run_coa_sender` runs. Measured from the moment at which the operation's "
            "commit returned to the moment at which the NAS sent its CoA-ACK."
        ),
        columns=(
            "p50 s",
            "p99 s",
            "slowest s",
            "changes/s",
            "sender's CPU ms a change",
        ),
        rows=[[*cells, Series(rates).text(0), Series(cpu).text(1)]],
        bars=[
            Bar(
                f"p99 from commit to CoA-ACK, {len(taken[0])} at once, at most {P99_BAR_S:g} s",
                f"{found['p99'].text(2)} s",
                met=max(found["p99"].values) <= P99_BAR_S,
            ),
            Bar(
                "changes without an ACK, and requests sent twice, 0",
                f"{asked - acknowledged} and {nas.requests - asked}",
                met=asked == acknowledged == nas.requests,
            ),
        ],
    )
