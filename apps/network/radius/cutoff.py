"""The embedded server's way through an outage with a snapshot of its site."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable

import psycopg
import structlog

from apps.network.radius import snapshot
from apps.network.radius.buffer import Buffer
from apps.network.radius.buffered import BufferedSession, KnownNases
from apps.network.radius.database import (
    AccessFacts,
    Client,
    RadiusDatabase,
    Row,
)
from apps.network.radius.snapshot import Shelf, SnapshotRefused

log = structlog.get_logger(__name__)
COMPLAINT_EVERY_S = 60.0


class Fallback:
    """The snapshot, shared by the server's threads."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._lock = shelf, threading.Lock()
        self._complained = 0.0

    def read(self) -> snapshot.Snapshot | None:
        """None, and now and then a line in the log, when there is none to go by."""
        try:
            with self._lock:
                return self._shelf.read(int(time.time()))
        except SnapshotRefused as error:
            now = time.monotonic()
            if now - self._complained > COMPLAINT_EVERY_S:
                self._complained = now
                log.warning("radius.snapshot_refused", reason=str(error))
            return None


class CutOffSession(BufferedSession):
    """PostgreSQL first; only when it does not answer, what the snapshot knows."""

    def __init__(
        self,
        database: RadiusDatabase,
        options: Callable[[], str],
        *,
        buffer: Buffer,
        known: KnownNases,
        fallback: Fallback,
    ) -> None:
        super().__init__(database, options, buffer=buffer, known=known)
        self._fallback = fallback

    def client(self, address: str) -> Client | None:
        try:
            return super().client(address)
        except psycopg.Error:
            found = self._fallback.read()
            nas = found.nases.get(address) if found else None
            if nas is None:
                raise
            return Client(
                nas.secret.encode(), nas.require_message_authenticator, nas.name
            )

    def authorize(self, facts: AccessFacts) -> list[Row]:
        """Raises psycopg.Error, which is silence, for whom the snapshot does not know."""
        try:
            return super().authorize(facts)
        except psycopg.Error:
            found = self._fallback.read()
            if found is None:
                raise
            rows = snapshot.answer(
                found, login=_text(facts.login), nas=facts.nas, mac=_text(facts.mac),
                now=int(time.time()),
            )  # fmt: skip
            if rows is None:
                raise
            return rows


def _text(encoded: str) -> str:
    """What a person typed, where it is text: no account has another login."""
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
