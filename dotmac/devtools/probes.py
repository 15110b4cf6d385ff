"""How each program shows that it works: by answering for real."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from dotmac.devtools import radius_probe
from dotmac.devtools.context import Context
from dotmac.devtools.servers import HOST

Probe = Callable[[Context], bool]
RELAY_HEARTBEAT = "dotmac:relay:alive"
COA_HEARTBEAT = "dotmac:coa_sender:alive"
REPLAY_S = 10
_ANSWER_S = 5


def page_comes(url: str) -> bool:
    """A page comes with status 200."""
    try:
        with urllib.request.urlopen(  # noqa: S310  # nosec B310
            url, timeout=_ANSWER_S
        ) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def answers_http(path: str) -> Probe:
    """A page of the web server comes."""
    return lambda context: page_comes(f"http://{HOST}:{context.web_port}{path}")


def workers_answer(redis_url: str) -> bool:
    """A Celery worker answers a ping over the broker."""
    app = Celery(broker=redis_url, set_as_current=False)
    try:
        return bool(app.control.ping(timeout=1, limit=1))
    except (OperationalError, redis.RedisError):
        return False
    finally:
        app.close()


def worker_answers(context: Context) -> bool:
    """The worker answers."""
    return workers_answer(context.redis_url)


def heart_beats(redis_url: str, key: str = RELAY_HEARTBEAT) -> bool:
    """The relay, or whose key it is, has finished a round and said so."""
    with redis.Redis.from_url(redis_url, socket_timeout=2) as client:
        return bool(client.exists(key))


def relay_beats(context: Context) -> bool:
    """The relay is at work."""
    return heart_beats(context.redis_url)


def coa_sender_beats(context: Context) -> bool:
    """The sender of Disconnects and CoA is at work."""
    return heart_beats(context.redis_url, COA_HEARTBEAT)


def replay_reads(context: Context) -> bool:
    """The replay of accounting said within ten seconds how far it is."""
    settings = context.settings()
    folder = (
        settings.get("RADIUS_BUFFER_DIR") or context.installation.root / "accounting"
    )
    try:
        return time.time() - (Path(folder) / "progress").stat().st_mtime < REPLAY_S
    except FileNotFoundError:
        return False


def forget_heartbeats(redis_url: str) -> None:
    """What an earlier start left behind must not pass for an answer."""
    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        client.delete(RELAY_HEARTBEAT, COA_HEARTBEAT)


def beat_ticks(context: Context) -> bool:
    """Beat has opened its schedule and written down that it did."""
    files = context.installation.run.glob("beat-schedule*")
    return any(file.stat().st_mtime >= context.began for file in files)


def accepts(port: Callable[[Context], int]) -> Probe:
    """Something accepts connections on the port."""

    def probe(context: Context) -> bool:
        try:
            with socket.create_connection((HOST, port(context)), timeout=_ANSWER_S):
                return True
        except OSError:
            return False

    return probe


def radius_answers(context: Context) -> bool:
    """A real Status-Server request from the platform's own NAS gets an answer."""
    return radius_probe.answers(
        host=HOST,
        port=context.auth_port,
        secret=context.installation.secret(radius_probe.SECRET),
    )
