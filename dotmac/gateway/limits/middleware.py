"""Applies the table: at the door from the address, inside from the actor."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dotmac.gateway.authentication import client_address
from dotmac.gateway.limits import headers
from dotmac.gateway.limits.counter import Counter, CounterAway, Decision, counter
from dotmac.gateway.limits.keys import keys_of
from dotmac.gateway.limits.local import LocalCounter
from dotmac.gateway.limits.policies import Away, Policy, Rule, Strategy, policy_for
from dotmac.gateway.refusals import refuse

AWAY_RETRY_S = 5
_local = LocalCounter()

Next = Callable[[HttpRequest], HttpResponse]


class DoorLimitMiddleware:
    """Before anybody is recognised, so that guessing costs no database."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        policy = _policy_of(request)
        if policy is None or not policy.door:
            return self.get_response(request)
        request.client_address = client_address(request)
        return _limited(request, policy, policy.door, self.get_response)


class ActorLimitMiddleware:
    """Behind the middleware that recognises the actor."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        policy = _policy_of(request)
        if policy is None or not policy.rules:
            return self.get_response(request)
        return _limited(request, policy, policy.rules, self.get_response)


def _policy_of(request: HttpRequest) -> Policy | None:
    if not settings.RATE_LIMIT_ENABLED:
        return None
    return policy_for(request.method or "", request.path)


def _limited(
    request: HttpRequest, policy: Policy, rules: Sequence[Rule], go_on: Next
) -> HttpResponse:
    keys, nonce = keys_of(rules, request), secrets.token_hex(8)
    counting = counter()
    try:
        decision, give_back = _by_redis(counting, rules, keys, nonce)
    except CounterAway:
        if policy.away == Away.CLOSED:
            return _unavailable(request)
        decision, give_back = _by_itself(rules, keys)
    if not decision.allowed:
        response = _refused(request, decision)
        headers.say(response, decision.standings)
        return response
    return _served(request, decision, go_on, give_back)


def _served(
    request: HttpRequest, decision: Decision, go_on: Next, give_back: Callable[[], None]
) -> HttpResponse:
    """Hold the places until the answer is complete, also when it is a stream."""
    held = True
    try:
        response: Any = go_on(request)
        if response.streaming:
            response._resource_closers.append(give_back)
            held = False
    finally:
        if held:
            give_back()
    if request.path.startswith("/api/"):
        headers.say(response, decision.standings)
    return cast("HttpResponse", response)


def _by_redis(
    counting: Counter, rules: Sequence[Rule], keys: Sequence[str], nonce: str
) -> tuple[Decision, Callable[[], None]]:
    decision = counting.take(rules, keys, nonce)
    leases = _leases(rules, keys)
    return decision, lambda: counting.end_leases(leases, nonce) if leases else None


def _by_itself(
    rules: Sequence[Rule], keys: Sequence[str]
) -> tuple[Decision, Callable[[], None]]:
    decision = _local.take(rules, keys, share=settings.RATE_LIMIT_PROCESSES)
    leases = _leases(rules, keys)
    return decision, lambda: _local.end_leases(leases)


def _leases(rules: Sequence[Rule], keys: Sequence[str]) -> list[str]:
    return [
        key
        for rule, key in zip(rules, keys, strict=True)
        if rule.strategy == Strategy.BUSY
    ]


def _refused(request: HttpRequest, decision: Decision) -> HttpResponse:
    wait_s = headers.retry_after_s(decision.standings)
    violated = [s.rule.name for s in decision.standings if s.refuses]
    return refuse(
        request,
        status=429,
        code="rate_limited",
        title=_("Too many requests."),
        detail=_("Try again in %d seconds. Nothing was changed.") % wait_s,
        retry_after_s=wait_s,
        **{"violated-policies": violated},
    )


def _unavailable(request: HttpRequest) -> HttpResponse:
    return refuse(
        request,
        status=503,
        code="limiter_unavailable",
        title=_("This door is closed for a moment."),
        detail=_("Attempts cannot be counted just now. Nothing was changed."),
        retry_after_s=AWAY_RETRY_S,
    )
