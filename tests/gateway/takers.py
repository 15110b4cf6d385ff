"""A process that takes from a rule as fast as it can, with several threads.

`python -m tests.gateway.takers '{"url": ..., "strategy": ..., ...}'` prints what it
was told, as JSON lines; times are the server's, in microseconds.
"""

import json
import random
import secrets
import sys
import threading
import time

from dotmac.gateway.limits.counter import Counter
from dotmac.gateway.limits.policies import Part, Rule, Strategy

KEY = "dotmac:limit:test"


def rule(strategy, limit, window_s):
    return Rule("test", Strategy(strategy), limit, window_s, (Part.ADDRESS,))


def main(told):
    counter = Counter(told["url"], timeout_s=5)
    taken = rule(told["strategy"], told["limit"], told["window_s"])
    if told.get("hold"):
        return hold(counter, taken, told["hold"])
    found: list[list[int]] = []
    until = time.monotonic() + told["seconds"]
    threads = [
        threading.Thread(target=take, args=(counter, taken, until, found))
        for _ in range(told["threads"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(json.dumps(found))
    return None


def take(counter, taken, until, found):
    while time.monotonic() < until:
        nonce = secrets.token_hex(8)
        decision = counter.take([taken], [KEY], nonce)
        event = [decision.at_us, decision.allowed, 0, 0]
        if taken.strategy == Strategy.BUSY and decision.allowed:
            time.sleep(random.random() * 0.02)
            event[2] = time.time_ns() // 1000
            counter.end_leases([KEY], nonce)
            event[3] = time.time_ns() // 1000
        found.append(event)
        time.sleep(random.random() * 0.004)


def hold(counter, taken, count):
    """Take places and keep them until somebody kills us."""
    for number in range(count):
        assert counter.take([taken], [KEY], str(number)).allowed
    sys.stdout.write("holding\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
