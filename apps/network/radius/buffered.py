"""The embedded server's way to PostgreSQL where accounting is buffered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import psycopg
import structlog

from apps.network.radius.buffer import Buffer, NotWritten
from apps.network.radius.database import (
    AccountingFacts,
    Client,
    RadiusDatabase,
    RadiusSession,
)

log = structlog.get_logger(__name__)
NASES_MAX = 10_000


class KnownNases:
    """What PostgreSQL last said of each NAS, for when it says nothing."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def note(self, address: str, client: Client | None) -> None:
        if client is None:
            self._clients.pop(address, None)
        elif address in self._clients or len(self._clients) < NASES_MAX:
            self._clients[address] = client

    def find(self, address: str) -> Client | None:
        return self._clients.get(address)


class BufferedSession(RadiusSession):
    """Accounting goes into files; NASes are remembered while PostgreSQL is away.

    Logins are asked of PostgreSQL alone: without it they stay unanswered.
    """

    def __init__(
        self,
        database: RadiusDatabase,
        options: Callable[[], str],
        *,
        buffer: Buffer,
        known: KnownNases,
    ) -> None:
        super().__init__(database, options)
        self._buffer, self._known = buffer, known

    def client(self, address: str) -> Client | None:
        try:
            found = super().client(address)
        except psycopg.Error:
            known = self._known.find(address)
            if known is None:
                raise
            return known
        self._known.note(address, found)
        return found

    def ask_accounting_status(self) -> None:
        """Accounting is taken without PostgreSQL."""

    def account(self, facts: AccountingFacts) -> bool:
        """True once the record is on the disk."""
        try:
            self._buffer.write(replace(facts, received=str(int(time.time()))))
        except NotWritten as error:
            log.warning("radius.record_not_written", error=str(error))
            return False
        return True
