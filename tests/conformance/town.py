"""A street of subscribers behind one NAS, which forgets everything when it reboots."""

from __future__ import annotations

import struct
import time
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.network import operations, selectors
from apps.network.models import AccessAccount, CoaRequest, Nas, SessionLive, UsageHour
from tests.conformance import wire
from tests.conformance.isp import SECRET, Isp

_CODES = {"Start": 1, "Stop": 2, "Interim-Update": 3}
_ROUND_S = 1.1  # packets without a clock are dated to the second


MAC = {"Calling_Station_Id": "aa:bb:cc:00:00:01"}
OTHER = {"Calling_Station_Id": "aa:bb:cc:00:00:02"}


class Unanswered(Exception):
    """A packet got no answer, or another one than it must."""


def new_id() -> str:
    return f"81{uuid.uuid4().hex[:8]}"


def run_jobs() -> None:
    """What workers do every minute and every hour."""
    while operations.close_restarted_sessions(now=timezone.now()):
        pass
    while operations.close_silent_sessions(now=timezone.now()):
        pass
    while operations.archive_sessions(now=timezone.now()):
        pass


@dataclass
class Box:
    """A NAS and what it says about one subscriber at a time."""

    isp: Isp
    nas: Nas

    @classmethod
    def at(cls, isp: Isp, **facts: Any) -> Box:
        return cls(isp, isp.nas(**facts))

    def says(self, status: str, **facts: Any) -> None:
        """One packet, which must be answered."""
        answer = self.isp.client.acct(
            status, Packet_Src_IP_Address=str(self.nas.address), **facts
        )
        if answer.kind != "Accounting-Response":
            raise Unanswered(f"{status} {facts}: {answer}")

    def about(self, account: AccessAccount, session: str) -> dict[str, str]:
        return {"User_Name": account.login, "Acct_Session_Id": session}

    def lets_in(self, account: AccessAccount, **facts: Any) -> bool:
        """Does the account get in when it dials this NAS now?"""
        answer = self.isp.auth(
            account, Packet_Src_IP_Address=str(self.nas.address), **facts
        )
        if answer.silent:
            raise Unanswered(account.login)
        return bool(answer.accepted)


def on_line(account: AccessAccount) -> list[str]:
    """The session ids under which people see the account on line, newest first."""
    found = selectors.sessions_of([account.pk])
    return [session.acct_session_id for session in found if session.online]


def disconnects(account: AccessAccount) -> int:
    return CoaRequest.objects.filter(account_id=account.pk, kind="disconnect").count()


@dataclass
class Street:
    """Many subscribers who do the same at once, each with a device of its own."""

    box: Box
    accounts: list[AccessAccount]

    @classmethod
    def of(cls, isp: Isp, houses: int, **account: Any) -> Street:
        first = isp.account(**account)
        mark = uuid.uuid4().hex[:8]
        made = AccessAccount.objects.bulk_create(
            AccessAccount(
                login=f"house-{mark}-{number}",
                # Nobody here types a password: a copy that opens for nobody.
                secret=first.secret,
                profile_id=first.profile_id,
                sessions_max=first.sessions_max,
            )
            for number in range(houses)
        )
        return cls(Box.at(isp), made)

    def all_say(
        self,
        status: str,
        prefix: str,
        *,
        twice: bool = False,
        backwards: bool = False,
        **facts: int,
    ) -> None:
        """Everybody's packet of session `<prefix><house>`; each must be answered.

        Names of `facts` are those of `_extra`.
        """
        packets = [
            self._packet(number, account, status, prefix, facts)
            for number, account in enumerate(self.accounts)
        ]
        if backwards:
            packets.reverse()
        for _ in range(1 + twice):
            unanswered = wire.tell_all(
                self.box.isp.client.acct_port, packets, source=str(self.box.nas.address)
            )
            if unanswered:
                raise Unanswered(f"{unanswered} of {len(packets)} {status}")

    def _packet(
        self, number: int, account: AccessAccount, status: str, prefix: str,
        facts: dict[str, int],
    ) -> bytes:  # fmt: skip
        mac = f"02-00-00-00-{number >> 8:02X}-{number & 255:02X}"
        return wire.accounting_request(
            SECRET.encode(),
            wire.attribute(1, account.login.encode()),
            wire.attribute(44, f"{prefix}{number}".encode()),
            wire.attribute(31, mac.encode()),
            *_extra(facts),
            status=_CODES[status],
            identifier=number,
        )

    def a_moment_passes(self) -> None:
        time.sleep(_ROUND_S)

    def sessions(self) -> list[SessionLive]:
        return list(SessionLive.objects.filter(nas_id=self.box.nas.pk).order_by("pk"))

    def on_line(self) -> list[str]:
        """Session ids that people see on line, of all houses."""
        views = selectors.session_views([row.pk for row in self.sessions()])
        return sorted(v.acct_session_id for v in views.values() if v.online)

    def ids(self, prefix: str) -> list[str]:
        return sorted(f"{prefix}{number}" for number in range(len(self.accounts)))

    def octets(self) -> int:
        rows = UsageHour.objects.filter(account__in=self.accounts)
        return sum(row.octets_in for row in rows)

    def disconnects(self) -> int:
        return CoaRequest.objects.filter(nas_id=self.box.nas.pk).count()


def _extra(facts: dict[str, int]) -> list[bytes]:
    codes = {"delay": 41, "octets_in": 42, "seconds": 46, "event": 55}
    return [
        wire.attribute(codes[name], struct.pack("!I", value))
        for name, value in facts.items()
    ]
