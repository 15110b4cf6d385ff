"""The relay: sends couriers for due events and publishes them to the stream."""

from __future__ import annotations

import signal
import time
from typing import Any

import redis
import structlog
from celery.exceptions import OperationalError as BrokerAway
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError as KombuAway

from apps.ops import operations, selectors
from apps.ops.tasks import dispatch_due

log = structlog.get_logger(__name__)

STREAM = "dotmac:events"
STREAM_LENGTH_MAX = 100_000
PUBLISH_MAX = 500
IDLE_S = 0.25
AWAY_S = 2.0
HEARTBEAT_KEY = "dotmac:relay:alive"
HEARTBEAT_S = 15


class Command(BaseCommand):
    help = "Deliver outbox events until stopped (SIGTERM)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        client = redis.Redis.from_url(settings.REDIS_URL)
        while not self.stopping:
            try:
                busy = dispatch_due() + publish(client)
                client.set(HEARTBEAT_KEY, str(int(time.time())), ex=HEARTBEAT_S)
            except (DatabaseError, redis.RedisError, BrokerAway, KombuAway) as error:
                log.warning("relay_waits", error=repr(error))
                connection.close()
                time.sleep(AWAY_S)
                continue
            if not busy:
                time.sleep(IDLE_S)

    def _stop(self, *_: Any) -> None:
        self.stopping = True


def publish(client: redis.Redis) -> int:
    """Copy acknowledged events to the Redis stream, at least once each."""
    rows = selectors.unpublished_events(limit=PUBLISH_MAX)
    if not rows:
        return 0
    pipeline = client.pipeline(transaction=False)
    for row in rows:
        pipeline.xadd(
            STREAM,
            {
                "specversion": "1.0",
                "id": str(row.pk),
                "source": "/dotmac",
                "type": row.name,
                "subject": row.subject_key,
                "sequence": str(row.number),
                "time": row.occurred_at.isoformat(),
            },
            maxlen=STREAM_LENGTH_MAX,
            approximate=True,
        )
    pipeline.execute()
    return operations.mark_published(
        event_ids=[row.pk for row in rows], now=timezone.now()
    )
