"""Thousands of mangled packets at one server, and what must still be true after each.

Three NASes: one sends what is mangled, signed anew or not; one sends only packets
that nobody may believe, about a session that is then as it was; and one works.
"""

from __future__ import annotations

import random
import re
import socket
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from apps.network.models import SessionLive
from tests.conformance import mangle, wire
from tests.conformance.isp import SECRET, Isp, Server, superuser
from tests.conformance.mangle import Person
from tests.conformance.town import Box

KEY = SECRET.encode()
ACCEPT, REJECT, ACCOUNTED, CHALLENGE, HOST = 2, 3, 5, 11, "127.0.0.1"
BATCH, EACH = 50, 1_000
RSS_GROWTH_MAX_KB = 64 * 1024
# FreeRADIUS keeps a conversation of EAP that nobody goes on with, a TLS session of
# 82 KiB with it: it looks for old ones when another conversation goes on, and none of
# the campaign's does. There are max_sessions (eap.conf) of them at most.
CONVERSATION_KB = 96
SETTLE_S, PATIENCE_S = 0.03, 5.0
# What no packet may cause: a fault of ours, or a statement that PostgreSQL refuses.
_FAULTS = re.compile(
    r"Traceback|radius\.failed|database_away|rlm_sql|CAUGHT SIGNAL|ASSERT|Segmentation"
    r"|talloc|stack smashing|syntax error",
)
# FreeRADIUS counts what it has open; these are its own notes.
_NOTES = re.compile(r"rlm_sql \(sql\): (Opening|Closing|Need|Reserved|Released|\d+ of)")


@dataclass
class Campaign:
    """Sends, and looks after every thousand."""

    server: Server
    isp: Isp
    database: str
    dice: random.Random
    answers: Counter = field(default_factory=Counter)
    believed: set = field(default_factory=set)
    sent: int = 0

    def __post_init__(self) -> None:
        self.bad, self.blamed, self.good = (Box.at(self.isp) for _ in range(3))
        self.people = [self._person(sessions_max=0) for _ in range(4)]
        self.victim = self._person()
        self.worker = self.isp.account()
        self.seeds = mangle.seeds(self.people, KEY)
        self.of_victim = mangle.seeds([self.victim], KEY)
        self._begin()

    def _person(self, **facts) -> Person:
        login, session = self.isp.account(**facts).login, uuid.uuid4().hex[:12]
        return Person(login.encode(), b"right horse", session.encode())

    def _begin(self) -> None:
        """The victim's session, whose counters nobody may move."""
        start, _, interim = mangle.seeds([self.victim], KEY)[4:7]
        for data in (start, interim):
            source = str(self.blamed.nas.address)
            assert wire.ask(self.isp.client.acct_port, data, source=source)[0] == 5
        self._works(0)
        self.was = self._untouched()
        self.log_at = self.server.child.log.stat().st_size
        self.rolled_back = self._rollbacks()
        self.rss: list[int] = []

    def run(self, count: int) -> None:
        """That many packets; looks after each thousand and at the end."""
        while self.sent < count:
            self._batch(min(BATCH, count - self.sent))
            if self.sent % EACH == 0 or self.sent == count:
                self.look()

    # --- Sending ----------------------------------------------------------------

    def _batch(self, count: int) -> None:
        """Packets of one socket, told apart by their identifiers; then a good login."""
        blamed = self.dice.random() < 0.2
        source = str((self.blamed if blamed else self.bad).nas.address)
        made = [self._packet(number, blamed) for number in range(count)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.bind((source, 0))
            for data in made:
                if not blamed and mangle.is_accounting(data, KEY):
                    self.believed |= mangle.names(data)
                door.sendto(data, (HOST, self._port(data)))
            self.sent += count
            asked = wire.access_request(self.worker.login.encode(), b"right horse", KEY)
            good = wire.ask(self.isp.client.auth_port, asked, wait_s=PATIENCE_S)
            assert good is not None, self._story(made)
            assert good[0] == ACCEPT, self._story(made)
            self._judge(door, made)

    def _packet(self, identifier: int, blamed: bool) -> bytes:
        """One that the victim's NAS could not have signed, or one of the other kind."""
        while True:
            pool = self.of_victim if blamed else self.seeds
            whole = self.dice.random() < 0.03 and not blamed
            seed = self.dice.choice(pool)
            data = seed if whole else mangle.mangled(self.dice, seed, self.seeds)
            data = data[:1] + bytes([identifier]) + data[2:]
            if not blamed and (whole or self.dice.random() < 0.6):
                data = mangle.signed(data, KEY)
            # What fits into no datagram, and what is right after all.
            if len(data) < 60_000 and not (
                blamed
                and (mangle.is_accounting(data, KEY) or mangle.is_signed(data, KEY))
            ):
                return data

    def _port(self, data: bytes) -> int:
        client = self.isp.client
        accounting = data[:1] == b"\x04"
        if self.dice.random() < 0.05:
            accounting = not accounting
        return client.acct_port if accounting else client.auth_port

    def _judge(self, door: socket.socket, made: list[bytes]) -> None:
        """Answers come to those alone whom the server may believe."""
        door.settimeout(SETTLE_S)
        while True:
            try:
                answer = door.recv(65_536)
            except TimeoutError:
                return
            self.answers[answer[0]] += 1
            assert answer[1] < len(made), answer.hex()
            asked = made[answer[1]]
            if asked[0] == mangle.STATUS_SERVER or answer[0] != ACCEPT:
                right = mangle.is_signed(asked, KEY) or mangle.is_accounting(asked, KEY)
            else:
                right = mangle.proves_password(asked, self.people, KEY)
            assert right, f"{answer.hex()} to {asked.hex()}"

    def _story(self, made: list[bytes]) -> str:
        return "\n".join([self._log()[-2000:], *(data.hex() for data in made)])

    def look_at_answers(self) -> None:
        """The packets reached what is behind the signatures, each way."""
        wanted = {ACCEPT, REJECT, ACCOUNTED}
        assert wanted <= self.answers.keys(), self.answers
        assert self.believed

    # --- Looking ----------------------------------------------------------------

    def look(self) -> None:
        """Alive, working, no fault in the log, nothing changed that may not be."""
        assert self.server.child.is_alive, self._log()[-4000:]
        self._works(self.sent)
        lines = self._log().splitlines()
        faults = [
            line for line in lines if _FAULTS.search(line) and not _NOTES.search(line)
        ]
        assert not faults, "\n".join(faults[:20])
        assert self._untouched() == self.was
        self._rows_are_of_believed_packets()
        assert self._rollbacks() == self.rolled_back
        self.rss.append(_rss_kb(self.server.child.pid))
        kept = CONVERSATION_KB * self.answers[CHALLENGE]
        assert self.rss[-1] - self.rss[0] < RSS_GROWTH_MAX_KB + kept, self.rss

    def _works(self, number: int) -> None:
        """A session from its Start to its Stop, counted right."""
        about = self.good.about(self.worker, f"good-{number}")
        assert self.isp.auth(self.worker).accepted
        for status, octets in (("Start", 0), ("Interim-Update", 500), ("Stop", 700)):
            self.good.says(
                status, **about, Acct_Input_Octets=octets, Acct_Session_Time=octets
            )
        row = SessionLive.objects.get(
            nas_id=self.good.nas.pk, acct_session_id=f"good-{number}"
        )
        assert (row.octets_in, row.account_id) == (700, self.worker.pk)
        assert row.stopped_at is not None

    def _untouched(self) -> tuple:
        """All rows that no packet of this campaign may change."""
        mine = [self.bad.nas.pk, self.good.nas.pk]
        people = [person.login.decode() for person in self.people]
        with superuser(self.database) as admin:
            logins = [*people, self.worker.login]
            (found,) = admin.execute(_UNTOUCHED, {"nas": mine, "logins": logins})
        return found

    def _rows_are_of_believed_packets(self) -> None:
        rows = SessionLive.objects.filter(nas_id=self.bad.nas.pk)
        known = {tuple(_shown(text) for text in each) for each in self.believed}
        told = {(row.login, row.acct_session_id) for row in rows}
        assert told <= known, told - known

    def _log(self) -> str:
        path: Path = self.server.child.log
        with path.open(errors="replace") as log:
            log.seek(self.log_at)
            return log.read()

    def _rollbacks(self) -> int:
        """A statement that fails takes its transaction back, whoever sent it."""
        deadline = time.monotonic() + PATIENCE_S
        with superuser(self.database) as admin:
            # Backends report at the end of a statement, a second apart.
            found = -1
            while time.monotonic() < deadline:
                admin.execute("SELECT pg_stat_clear_snapshot()")
                ((now,),) = admin.execute(_ROLLBACKS, [self.database]).fetchall()
                if now == found:
                    break
                found = now
                time.sleep(0.2)
        return found


_ROLLBACKS = "SELECT xact_rollback FROM pg_stat_database WHERE datname = %s"
_UNTOUCHED = """
SELECT (SELECT md5(string_agg(s::text, '|' ORDER BY s.id)) FROM network_sessionlive s
         WHERE s.nas_id <> ALL (%(nas)s)),
       (SELECT md5(string_agg(a::text, '|' ORDER BY a.id)) FROM network_accessaccount a),
       (SELECT md5(string_agg(n::text, '|' ORDER BY n.id)) FROM network_nas n
         WHERE n.id <> ALL (%(nas)s)),
       (SELECT md5(string_agg(u::text, '|' ORDER BY u.account_id, u.hour_at))
          FROM network_usagehour u JOIN network_accessaccount a ON a.id = u.account_id
         WHERE a.login <> ALL (%(logins)s))
"""


def _shown(data: bytes) -> str:
    """Text as our functions keep it: of a name that is no text, its hex digits."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    return (text if "\0" not in text else "\\x" + data.hex())[:253]


def _rss_kb(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1])
