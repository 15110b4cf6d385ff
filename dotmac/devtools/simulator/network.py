"""The whole simulated network: lines spread over NASes, run until stopped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import structlog
from pyrad.packet import Packet

from dotmac.devtools.simulator import wire
from dotmac.devtools.simulator.nas import Nas, NasFacts, RadiusServer
from dotmac.devtools.simulator.subscribers import Line, SubscriberFacts

log = structlog.get_logger(__name__)

DIAL_GAP_S = 0.05


class Network:
    """Starts NASes and lines; each NAS finds its lines by session id."""

    def __init__(
        self,
        *,
        server: RadiusServer,
        nases: Sequence[NasFacts],
        subscribers: Sequence[SubscriberFacts],
        zone: ZoneInfo,
        seed: int = 1,
    ) -> None:
        dice = random.Random(seed)  # nosec B311
        self.nases = [
            Nas(facts=facts, server=server, end=self.end, change=self.change)
            for facts in nases
        ]
        self.lines = [
            Line(
                facts,
                self.nases[index % len(self.nases)],
                zone,
                random.Random(dice.random()),  # nosec B311
            )
            for index, facts in enumerate(subscribers)
        ]

    async def run(self) -> None:
        """Dial in one after the other, then live until cancelled."""
        for nas in self.nases:
            await nas.start()
            # A NAS that boots says so: sessions from before are over.
            await nas.account(Acct_Status_Type="Accounting-On", Acct_Session_Id="0")
        tasks = []
        try:
            for line in self.lines:
                tasks.append(asyncio.create_task(line.run()))
                await asyncio.sleep(DIAL_GAP_S)
            log.info("network_runs", nases=len(self.nases), lines=len(self.lines))
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for nas in self.nases:
                nas.stop()

    def _line(self, session_id: str) -> Line | None:
        matching = (line for line in self.lines if line.session_id == session_id)
        return next(matching, None) if session_id else None

    def end(self, session_id: str) -> bool:
        """Disconnect: the line's own task sends the Stop and dials again later."""
        line = self._line(session_id)
        if line is None:
            return False
        line.cut.set()
        return True

    def change(self, session_id: str, packet: Packet) -> bool:
        line = self._line(session_id)
        if line is None:
            return False
        if rate := wire.first(packet, "Mikrotik-Rate-Limit"):
            line.change_rate(str(rate))
        return True
