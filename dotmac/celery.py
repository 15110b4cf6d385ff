"""Queues, task defaults and the beat schedule: the one place where it stands.

docs/operations.md shows the same table; a test compares them.
"""

from __future__ import annotations

import os
import time
from typing import Any

import redis
from celery import Celery, signals
from celery.schedules import crontab

from dotmac.core import heartbeats

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotmac.settings.development")

app = Celery("dotmac")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# name -> (task, when). Hours are the operator's (settings.OPERATOR_TIME_ZONE).
SCHEDULE: dict[str, tuple[str, Any]] = {
    "ops.sweep_outbox": ("ops.sweep_outbox", 15.0),
    "ops.send_messages": ("ops.send_messages", 10.0),
    "catalog.resume_provisioning": ("catalog.resume_provisioning", 15.0),
    "ops.chain_audit": ("ops.chain_audit", 5.0),
    "ops.anchor_audit": ("ops.anchor_audit", crontab(hour="0", minute="5")),
    "ops.verify_audit": ("ops.verify_audit", crontab(hour="3", minute="10")),
    "ops.check_integrity": ("ops.check_integrity", crontab(hour="3", minute="30")),
    "ops.forget_old": ("ops.forget_old", crontab(hour="4", minute="10")),
    "identity.answer_reset_requests": ("identity.answer_reset_requests", 5.0),
    "identity.forget_sessions": (
        "identity.forget_sessions",
        crontab(hour="4", minute="20"),
    ),
    "identity.forget_decisions": (
        "identity.forget_decisions",
        crontab(hour="4", minute="40"),
    ),
    "federation.withdraw_roles": ("federation.withdraw_roles", 60.0),
    "federation.forget_old": ("federation.forget_old", crontab(hour="4", minute="50")),
    "identity.make_exports": ("identity.make_exports", 15.0),
    "identity.end_looks": ("identity.end_looks", 60.0),
    "network.send_coa_requests": ("network.send_coa_requests", 2.0),
    "network.read_attempts": ("network.read_attempts", 30.0),
    "network.forget_attempts": (
        "network.forget_attempts",
        crontab(hour="4", minute="20"),
    ),
    "network.forget_sessions": (
        "network.forget_sessions",
        crontab(hour="3", minute="50"),
    ),
    "network.settle_nas_secrets": ("network.settle_nas_secrets", 15.0),
    "network.measure_nas_health": ("network.measure_nas_health", 60.0),
    "network.reconcile_coa": ("network.reconcile_coa", 60.0),
    "network.tell_profiles": ("network.tell_profiles", 5.0),
    "network.carry_disconnects": ("network.carry_disconnects", 5.0),
    "network.carry_imports": ("network.carry_imports", 5.0),
    "network.close_silent_sessions": ("network.close_silent_sessions", 60.0),
    "network.archive_sessions": ("network.archive_sessions", crontab(minute="20")),
    "network.ensure_session_partitions": (
        "network.ensure_session_partitions",
        crontab(hour="2", minute="40"),
    ),
    "billing.run_billing": ("billing.run_billing", crontab(hour="2", minute="10")),
    "billing.sweep_runs": ("billing.sweep_runs", 60.0),
    "billing.verify_pending_payments": ("billing.verify_pending_payments", 30.0),
    "billing.run_dunning": ("billing.run_dunning", crontab(minute="5")),
}

app.conf.beat_schedule = {
    name: {"task": task, "schedule": when} for name, (task, when) in SCHEDULE.items()
}


SIGN_EACH_S = 5.0
_SIGN_TIMEOUT_S = 0.5


class SignOfLife:
    """Says now and then that this program lives. Without Redis it says nothing."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._client: redis.Redis | None = None
        self._next = 0.0

    def __call__(self, **_signal: Any) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SIGN_EACH_S
        if self._client is None:
            self._client = redis.Redis.from_url(
                app.conf.broker_url,
                socket_timeout=_SIGN_TIMEOUT_S,
                socket_connect_timeout=_SIGN_TIMEOUT_S,
            )
        try:
            heartbeats.give(self._client, self.program, now=time.time())
        except redis.RedisError:
            return


worker_lives, beat_lives = SignOfLife("worker"), SignOfLife("beat")
signals.heartbeat_sent.connect(worker_lives)


@signals.beat_init.connect
def watch_beat(**_signal: Any) -> None:
    """Only beat: each task that the broker took is a sign."""
    signals.after_task_publish.connect(beat_lives)
