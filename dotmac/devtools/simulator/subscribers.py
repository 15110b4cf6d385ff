"""Subscribers behind simulated NASes: they dial in, move data, get cut, come back."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from pyrad.packet import Packet

from dotmac.devtools.simulator import traffic, wire
from dotmac.devtools.simulator.nas import Nas

log = structlog.get_logger(__name__)

REDIAL_S = (5.0, 12.0)
REFUSED_S = (45.0, 90.0)
INTERIM_S_MIN, INTERIM_S_MAX = 10, 3600
INTERIM_S_DEFAULT = 300
HANG_UP_CHANCE = 0.01
_GIGAWORD = 1 << 32
_RATE = re.compile(r"^(\d+)([kMG]?)/(\d+)([kMG]?)")
_UNITS = {"": 0.001, "k": 1, "M": 1000, "G": 1_000_000}
_CAUSE_USER, _CAUSE_TIMEOUT, _CAUSE_ADMIN = 1, 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberFacts:
    """What stands in the customer's router."""

    login: str
    password: str
    mac: str
    down_kbps: int = 10_000
    interim_s: int = 0


def rate_of(reply: Packet, fallback_kbps: int) -> int:
    """The download speed in kbit/s that the answer grants."""
    text = wire.first(reply, "Mikrotik-Rate-Limit")
    found = _RATE.match(str(text)) if text else None
    if found:
        return max(1, int(int(found[3]) * _UNITS[found[4]]))
    down = wire.first(reply, "WISPr-Bandwidth-Max-Down")
    return int(down) // 1000 if down else fallback_kbps


class Line:
    """One subscriber's line on one NAS, driven by `run` until cancelled."""

    def __init__(
        self, facts: SubscriberFacts, nas: Nas, zone: ZoneInfo, dice: random.Random
    ) -> None:
        self.facts, self.nas, self.zone, self.dice = facts, nas, zone, dice
        self.session_id = ""
        self.taste = dice.uniform(0.4, 1.6)
        self.cut = asyncio.Event()
        self.cause = _CAUSE_USER

    async def run(self) -> None:
        """Dial, stay, dial again."""
        while True:
            reply = await self.nas.authenticate(
                login=self.facts.login,
                password=self.facts.password,
                Calling_Station_Id=self.facts.mac,
                NAS_Port_Type=15,
                Service_Type=2,
                Framed_Protocol=1,
            )
            if reply is not None and reply.code == wire.ACCEPT:
                await self._stay(reply)
                await asyncio.sleep(self.dice.uniform(*REDIAL_S))
            else:
                await asyncio.sleep(self.dice.uniform(*REFUSED_S))

    async def _stay(self, reply: Packet) -> None:
        """Account one session from Start to Stop."""
        self.session_id = secrets.token_hex(8)
        self.cut.clear()
        self.cause = _CAUSE_USER
        self.down_kbps = rate_of(reply, self.facts.down_kbps)
        self.up = self.down = 0
        self.began = self.counted = time.monotonic()
        self.common = {
            "User_Name": self.facts.login,
            "Acct_Session_Id": self.session_id,
            "Calling_Station_Id": self.facts.mac,
            "Framed_IP_Address": wire.first(reply, "Framed-IP-Address"),
            "Class": wire.first(reply, "Class"),
        }
        limit_s = wire.first(reply, "Session-Timeout")
        try:
            await self.nas.account(**self.common, Acct_Status_Type="Start")
            await self._hold(self._interim_s(reply), float(limit_s or 0))
        finally:
            stop = self._counters() | {"Acct_Terminate_Cause": self.cause}
            self.session_id = ""
            await self.nas.account(**self.common, Acct_Status_Type="Stop", **stop)

    def _interim_s(self, reply: Packet) -> float:
        granted = wire.first(reply, "Acct-Interim-Interval", INTERIM_S_DEFAULT)
        wanted = self.facts.interim_s or int(granted)
        return float(min(max(wanted, INTERIM_S_MIN), INTERIM_S_MAX))

    async def _hold(self, interim_s: float, limit_s: float) -> None:
        """Report until cut, timed out or hung up."""
        while True:
            left = self.began + limit_s - time.monotonic() if limit_s else interim_s
            try:
                async with asyncio.timeout(min(interim_s, max(left, 0.1))):
                    await self.cut.wait()
            except TimeoutError:
                pass
            else:
                self.cause = _CAUSE_ADMIN
                return
            if limit_s and time.monotonic() >= self.began + limit_s:
                self.cause = _CAUSE_TIMEOUT
                return
            await self.nas.account(
                **self.common, Acct_Status_Type="Interim-Update", **self._counters()
            )
            if self.dice.random() < HANG_UP_CHANCE:
                return

    def _counters(self) -> dict[str, Any]:
        """Move the data of the time since the last report, and count it."""
        now = time.monotonic()
        up, down = traffic.octets(
            down_kbps=self.down_kbps,
            seconds=now - self.counted,
            local=datetime.now(self.zone),
            taste=self.taste,
            dice=self.dice,
        )
        self.counted, self.up, self.down = now, self.up + up, self.down + down
        return {
            "Acct_Session_Time": int(now - self.began),
            # RFC 2866: input is what came from the user.
            "Acct_Input_Octets": self.up % _GIGAWORD,
            "Acct_Input_Gigawords": self.up // _GIGAWORD,
            "Acct_Output_Octets": self.down % _GIGAWORD,
            "Acct_Output_Gigawords": self.down // _GIGAWORD,
        }

    def change_rate(self, rate: str) -> None:
        found = _RATE.match(rate)
        if found:
            self.down_kbps = max(1, int(int(found[3]) * _UNITS[found[4]]))
