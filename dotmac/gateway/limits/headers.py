"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11).

Both are lists of structured fields (RFC 9651): the name of a policy as a string,
q its quota, w its window, qu the unit where it is not requests; r what is left,
t the seconds within which no more than that will be granted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.http import HttpResponse

from dotmac.gateway.limits.counter import Standing
from dotmac.gateway.limits.policies import Rule, Strategy


def say(response: HttpResponse, standings: Sequence[Standing]) -> None:
    """Write how things stand; of a refusal only what refuses."""
    refusing = [standing for standing in standings if standing.refuses]
    shown = refusing or list(standings)
    response["RateLimit-Policy"] = ", ".join(_policy(s.rule) for s in standings)
    response["RateLimit"] = ", ".join(_limit(standing) for standing in shown)


def retry_after_s(standings: Sequence[Standing]) -> int:
    """Whole seconds until every refusing rule has something again."""
    waits = [standing.rest_s for standing in standings if standing.refuses]
    return max(1, math.ceil(max(waits, default=1.0)))


def _policy(rule: Rule) -> str:
    if rule.strategy == Strategy.BUSY:
        return f'"{rule.name}";q={rule.limit};qu="concurrent-requests"'
    return f'"{rule.name}";q={rule.limit};w={rule.window_s}'


def _limit(standing: Standing) -> str:
    item = f'"{standing.rule.name}";r={standing.left}'
    if standing.rule.strategy == Strategy.BUSY:
        return item
    return f"{item};t={math.ceil(standing.rest_s)}"
