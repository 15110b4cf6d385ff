"""The sender of Disconnects and CoA: from the commit to the NAS in a moment."""

from __future__ import annotations

import signal
import time
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection

from apps.network.tasks import coa_sender
from dotmac.core import heartbeats

log = structlog.get_logger(__name__)

PROGRAM = "coa_sender"
SIGN_EACH_S = 5.0
# Valkey away must not hold up a packet for long.
_SIGN_TIMEOUT_S = 0.2
AWAY_S = 1.0


class Command(BaseCommand):
    """Runs until SIGTERM, then waits for the answers to what is in flight.

    Killed, it loses nothing: what it had claimed is queued again by reconcile_coa.
    Several may run, and beat's task beside them.
    """

    help = "Send Disconnects and CoA as soon as they are due, until stopped (SIGTERM)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        sign = _Sign()
        with coa_sender() as sender:
            while not self.stopping:
                try:
                    sender.step()
                    sign.give()
                except DatabaseError as error:
                    log.warning("coa.sender_waits", error=repr(error))
                    connection.close()
                    time.sleep(AWAY_S)
            try:
                sender.finish()
            except DatabaseError as error:
                log.warning("coa.answers_not_kept", error=repr(error))

    def _stop(self, *_: Any) -> None:
        self.stopping = True


class _Sign:
    """Says every few seconds that the sender lives; without Valkey nothing."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_SIGN_TIMEOUT_S,
            socket_connect_timeout=_SIGN_TIMEOUT_S,
        )
        self._next = 0.0

    def give(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SIGN_EACH_S
        try:
            heartbeats.give(self._client, PROGRAM, now=time.time())
        except redis.RedisError as error:
            log.warning("coa.no_sign_of_life", error=repr(error))
