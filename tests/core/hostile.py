"""Compiles and evaluates each expression in a capped process of its own.

`python -m tests.core.hostile < texts.json` prints one outcome for each: what the
guards or the library said, or "killed" and "signal N" for what must not happen.
"""

import json
import os
import resource
import select
import signal
import sys
import time

from dotmac.core.expressions import ExpressionRefused, Kind, Language

MEMORY_BYTES = 2 * 1024**3
CPU_S = 6
KILL_S = 8
FACTS = {
    "actor.username": "ada",
    "actor.roles": ["owner"] * 200,
    "actor.mfa_age_s": 20,
    "request.address": "10.1.2.3",
    "amount.major": 60_000.0,
}
KINDS = {
    "actor.username": Kind.TEXT,
    "actor.roles": Kind.TEXTS,
    "actor.mfa_age_s": Kind.NUMBER,
    "request.address": Kind.TEXT,
    "amount.major": Kind.DECIMAL,
}


def outcome(source, language):
    """`refused`, or the verdict."""
    try:
        return language.compile(source).evaluate(FACTS).value
    except ExpressionRefused:
        return "refused"


def in_own_process(source, language):
    """The outcome, how long it took, and how many MiB the process grew by."""
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        said = outcome(source, language)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        os.write(writing, json.dumps([said, grown]).encode())
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], KILL_S)
    if not ready:
        os.kill(child, signal.SIGKILL)
    said = os.read(reading, 4096)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    took = time.monotonic() - began
    if not ready:
        return ["killed", 0, took]
    if os.WIFSIGNALED(status) or not said:
        return [f"signal {os.WTERMSIG(status)}", 0, took]
    return [*json.loads(said), took]


if __name__ == "__main__":
    spoken = Language(KINDS)
    found = [in_own_process(text, spoken) for text in json.load(sys.stdin)]
    sys.stdout.write(json.dumps(found))
