"""The log of the embedded server: a line a source and kind, not a line a packet."""

from __future__ import annotations

import threading
import time

import pytest
from structlog.testing import capture_logs

from apps.network.radius import complaints
from apps.network.radius.complaints import Complaints


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(time, "monotonic", lambda: Clock.now)
    return Clock


def test_says_it_once_a_minute_and_how_often(clock):
    heard = Complaints()
    with capture_logs() as lines:
        for _ in range(5):
            heard.say("malformed", "192.0.2.1")
        clock.now += complaints.EVERY_S
        heard.say("malformed", "192.0.2.1")
        heard.say("malformed", "192.0.2.1")

    assert [(line["kind"], line["address"], line["times"]) for line in lines] == [
        ("malformed", "192.0.2.1", 1),
        ("malformed", "192.0.2.1", 5),
    ]
    assert {line["log_level"] for line in lines} == {"warning"}


def test_tells_sources_and_kinds_apart(clock):
    heard = Complaints()
    with capture_logs() as lines:
        for source in ("192.0.2.1", "192.0.2.2"):
            for kind in ("malformed", "secret"):
                heard.say(kind, source)
                heard.say(kind, source)

    assert len(lines) == 4


def test_a_flood_of_sources_does_not_grow_it(clock, monkeypatch):
    monkeypatch.setattr(complaints, "SOURCES_MAX", 50)
    heard = Complaints()
    with capture_logs():
        for number in range(500):
            heard.say("unknown_nas", f"source {number}")

    assert len(heard._said) <= 50


def test_threads_do_not_say_it_twice(clock):
    heard = Complaints()
    gate = threading.Barrier(8)

    def say() -> None:
        gate.wait()
        for _ in range(100):
            heard.say("secret", "192.0.2.1")

    with capture_logs() as lines:
        threads = [threading.Thread(target=say) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(lines) == 1
