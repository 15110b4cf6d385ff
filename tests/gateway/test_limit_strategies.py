"""Each strategy grants what it should and no more, whoever asks from where.

The judge replays what the takers were told by the server's clock: it knows the
meaning of a strategy, not its Lua.
"""

import json
import subprocess
import sys
import time

import pytest

from dotmac.gateway.limits.counter import Counter
from tests.environment import ROOT
from tests.gateway.takers import KEY, rule

pytestmark = [pytest.mark.integration, pytest.mark.security]

SECOND = 1_000_000
PROCESSES, THREADS, TAKING_S = 2, 8, 2.5


@pytest.fixture
def counter(valkey):
    counter = Counter(valkey.url(), timeout_s=5)
    yield counter
    counter.close()


def start(valkey, **told):
    words = [sys.executable, "-m", "tests.gateway.takers"]
    told = {"url": valkey.url(), **told}
    return subprocess.Popen(
        [*words, json.dumps(told)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )


def events(valkey, strategy, limit, window_s=1):
    """What several processes with several threads each were told, in order."""
    told = {"strategy": strategy, "limit": limit, "window_s": window_s}
    how = {"seconds": TAKING_S, "threads": THREADS}
    takers = [start(valkey, **told, **how) for _ in range(PROCESSES)]
    found = []
    for taker in takers:
        said, _ = taker.communicate(timeout=60)
        assert taker.returncode == 0
        found += json.loads(said)
    # Within one microsecond what was granted came before what was refused.
    found.sort(key=lambda event: (event[0], not event[1]))
    assert sum(1 for event in found if event[1]) > limit
    assert any(not event[1] for event in found)
    return found


def test_a_fixed_window_grants_its_number_in_each_window(valkey):
    granted: dict[int, int] = {}
    for at, allowed, *_ in events(valkey, "fixed", 40):
        window = at // SECOND
        assert allowed == (granted.get(window, 0) < 40), at
        granted[window] = granted.get(window, 0) + allowed


def test_a_sliding_window_grants_its_number_in_any_window(valkey):
    granted: list[int] = []
    for at, allowed, *_ in events(valkey, "sliding", 40):
        within = [then for then in granted if then > at - SECOND]
        assert allowed == (len(within) < 40), at
        granted = [*within, at] if allowed else within


def test_a_bucket_grants_what_it_holds_and_what_flows_in(valkey):
    tokens, before = 40.0, None
    for at, allowed, *_ in events(valkey, "bucket", 40):
        tokens = min(40.0, tokens + (at - (before or at)) * 40 / SECOND)
        before = at
        if abs(tokens - 1) > 0.1:  # neither rounding nor a clock being set decides
            assert allowed == (tokens >= 1), (at, tokens)
        tokens -= allowed


def test_places_are_never_held_by_more_nor_refused_while_free(valkey):
    found = events(valkey, "busy", 5, window_s=5)
    held = [(at, begun, ended) for at, allowed, begun, ended in found if allowed]
    for at, allowed, *_ in found:
        # From the grant until giving back began it was held for certain; until the
        # server had answered it may have been.
        surely = sum(1 for begin, begun, _ in held if begin <= at < begun)
        perhaps = sum(1 for begin, _, ended in held if begin <= at <= ended)
        assert surely <= 5
        assert allowed or perhaps >= 5


def test_a_killed_holder_gives_its_places_back_within_the_lease(valkey, counter):
    holder = start(valkey, strategy="busy", limit=10, window_s=2, hold=10)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    began = time.monotonic()
    holder.kill()
    holder.wait()
    places = rule("busy", 10, 2)

    assert not counter.take([places], [KEY], "other").allowed
    while not counter.take([places], [KEY], "other").allowed:
        assert time.monotonic() - began < 20
        time.sleep(0.05)
    holder.stdout.close()


@pytest.mark.parametrize("strategy", ["fixed", "sliding", "bucket", "busy"])
def test_nothing_is_left_after_two_windows(counter, redis_client, strategy):
    taken = rule(strategy, 3, 1)
    for number in range(5):
        counter.take([taken], [KEY], str(number))
    assert list(redis_client.scan_iter()) == [KEY.encode()]
    assert 0 < redis_client.pttl(KEY) <= 1000

    deadline = time.monotonic() + 20
    while list(redis_client.scan_iter()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("exhausted", ["fixed", "sliding", "bucket", "busy"])
def test_one_rule_that_refuses_leaves_the_others_untouched(counter, exhausted):
    """All or nothing: what is refused uses up nothing anywhere."""
    others = [rule(kind, 5, 60) for kind in ("fixed", "sliding", "bucket", "busy")]
    small = rule(exhausted, 1, 60)
    rules, keys = [*others, small], ["a", "b", "c", "d", "e"]
    assert counter.take(rules, keys, "first").allowed
    for number in range(20):
        decision = counter.take(rules, keys, f"next {number}")
        assert [s.refuses for s in decision.standings] == [False] * 4 + [True]
        assert [s.left for s in decision.standings] == [4, 4, 4, 4, 0]

    again = counter.take(others, keys[:4], "again")
    assert [s.left for s in again.standings] == [3, 3, 3, 3]


def test_four_rules_cost_one_call(counter, redis_client):
    rules = [rule(kind, 5, 60) for kind in ("fixed", "sliding", "bucket", "busy")]
    counter.take(rules, list("abcd"), "loads the script")
    redis_client.config_resetstat()

    counter.take(rules, list("abcd"), "counted")

    calls = redis_client.info("commandstats")
    sent = {name for name in calls if calls[name]["calls"]} & {
        "cmdstat_evalsha", "cmdstat_eval", "cmdstat_multi", "cmdstat_script|load",
    }  # fmt: skip
    assert sent == {"cmdstat_evalsha"}
    assert calls["cmdstat_evalsha"]["calls"] == 1
    assert calls["cmdstat_time"]["calls"] == 1


def test_a_server_that_forgot_the_script_is_told_it_again(counter, redis_client):
    taken = rule("fixed", 5, 60)
    counter.take([taken], [KEY], "one")
    redis_client.script_flush()

    assert counter.take([taken], [KEY], "two").allowed


def test_says_what_is_left_and_when_there_is_more(counter):
    taken = rule("sliding", 2, 60)
    first = counter.take([taken], [KEY], "1").standings[0]
    second = counter.take([taken], [KEY], "2").standings[0]
    third = counter.take([taken], [KEY], "3").standings[0]

    assert [s.left for s in (first, second, third)] == [1, 0, 0]
    assert [s.refuses for s in (first, second, third)] == [False, False, True]
    assert 0 < third.rest_s <= 60
