"""Brings buffered accounting into PostgreSQL, and nothing twice.

radius_accounting() takes a record as often as it comes and counts it once, so a chunk
that was not brought home as a whole is brought again as a whole: this process may be
killed at any moment, and PostgreSQL as well. Records of one session go through one
thread, in their order; those of several share the disk's flushes.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import psycopg
import structlog

from apps.network.radius import buffer
from apps.network.radius.database import (
    AccountingFacts,
    RadiusDatabase,
    RadiusSession,
)

Record = tuple[AccountingFacts, str]
CHUNK = 2_000
# Records in one transaction: it is one wait for the disk.
BATCH = 50
IDLE_S = 0.5
AWAY_S = 1.0
COMPLAINT_EVERY_S = 5.0
NOTE_EVERY_S = 1.0
# PostgreSQL says these of the record itself, whenever it is told.
_FOR_GOOD = (psycopg.DataError, psycopg.IntegrityError)

log = structlog.get_logger(__name__)


class Replay:
    """Reads a folder until it is told to stop."""

    def __init__(
        self,
        folder: Path,
        *,
        database: RadiusDatabase,
        options: Callable[[], str],
        readers: int = 8,
    ) -> None:
        buffer.make_folder(folder)
        self._folder = folder
        self._sessions = [RadiusSession(database, options) for _ in range(readers)]
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix="replay")
        self._offsets: dict[Path, int] = {}
        self._stopping = threading.Event()
        self._complained = self._noted = 0.0
        self.taken = 0

    def stop(self) -> None:
        """Make `run` return after the chunk at work. Safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Until stopped: what is there, then what comes."""
        while not self._stopping.is_set():
            try:
                busy = self.round()
            except (psycopg.Error, OSError) as error:
                self._complain(error)
                self._stopping.wait(AWAY_S)
                continue
            if not busy:
                self._stopping.wait(IDLE_S)
        self.close()

    def close(self) -> None:
        self._pool.shutdown(wait=True)
        for session in self._sessions:
            session.close()

    def round(self) -> bool:
        """One chunk of each file, the oldest file to its end; False: nothing was there.

        Raises psycopg.Error when PostgreSQL is away; nothing of the chunk counts as
        brought home then.
        """
        paths = buffer.files(self._folder)
        self._offsets = {p: n for p, n in self._offsets.items() if p in paths}
        self._note()
        busy = False
        for path in paths:
            while not self._stopping.is_set() and self._take(path):
                busy = True
            self._forget(path)
        return busy

    def _take(self, path: Path) -> bool:
        """One chunk of a file; False at its end."""
        begins = self._offsets.get(path, 0)
        lines, ends = buffer.read(path, begins, CHUNK)
        if not lines:
            return False
        shards: list[list[Record]] = [[] for _ in self._sessions]
        for text in lines:
            facts = buffer.parsed(text)
            if facts is None:
                log.warning("radius.record_cut_short", octets=len(text))
            else:
                # By login: two readers never wait for each other's account.
                shard = zlib.crc32(facts.login.encode()) % len(shards)
                shards[shard].append((facts, text))
        work = zip(self._sessions, shards, strict=True)
        jobs = [self._pool.submit(self._bring, *pair) for pair in work]
        wait(jobs)
        for job in jobs:
            job.result()
        self._offsets[path] = ends
        self._note()
        self.taken += len(lines)
        return True

    def _note(self) -> None:
        """How far it is, and that it lives: now and then."""
        now = time.monotonic()
        if now - self._noted > NOTE_EVERY_S:
            self._noted = now
            buffer.note_progress(self._folder, self._offsets)

    def _bring(self, session: RadiusSession, records: list[Record]) -> None:
        for start in range(0, len(records), BATCH):
            batch = records[start : start + BATCH]
            try:
                session.account_all([facts for facts, _ in batch])
            except psycopg.Error:
                # One of them is refused, another server was in the way, or nobody is
                # there: one by one it will show.
                for facts, text in batch:
                    self._tell(session, facts, text)

    def _tell(self, session: RadiusSession, facts: AccountingFacts, text: str) -> None:
        try:
            if not session.account(facts):
                log.warning("radius.unknown_nas", peer=facts.nas)
        except _FOR_GOOD as error:
            log.warning("radius.record_refused", error=type(error).__name__)
            buffer.refuse(self._folder, text)

    def _forget(self, path: Path) -> None:
        """Delete a file that is over and brought home to its end."""
        offset = self._offsets.get(path, 0)
        if not buffer.is_settled(path) or buffer.read(path, offset, 1)[0]:
            return
        if rest := path.stat().st_size - offset:
            # A last line without its end was never answered.
            log.warning("radius.record_cut_short", octets=rest)
        path.unlink()
        self._offsets.pop(path, None)

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._complained > COMPLAINT_EVERY_S:
            self._complained = now
            log.error("radius.replay_waits", error=type(error).__name__)
