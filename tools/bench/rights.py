"""People, grants and rules for the measurement of authorisation, made in bulk."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionStage
from apps.identity.models import AccessRule, Customer, CustomerGrant, Session, User
from apps.identity.rules.tokens import AccessClaims, write_access_token
from apps.identity.selectors.keys import jwt_keys
from dotmac.core.actors import system_actor
from tools.bench.cpu import percentile
from tools.bench.web import totp

ACTOR = system_actor("benchmark")
ASKED = "identity.view_customer"
GRANTS, HOLDERS, BRANCHES, RULES = 10_000, 100, 10, 20
ADDRESS = "192.0.2.7"
# What a rule refuses by is false for everybody measured here: by its first clause, or
# only by its last one, so that half of the rules are evaluated to their end.
SHORT = "request.hour > {above} && actor.mfa_age_s > 300"
WHOLE = (
    "request.hour < {above} && actor.mfa_age_s < 86400 && !('auditor' in actor.roles)"
    " && in_network(request.address, '192.0.2.0/24') && request.weekday > 7"
)


def make_people(customers: int) -> dict[str, dict[str, str]]:
    """Units, roles, grants and rules; returns how to sign in as whom."""
    now = timezone.now() - timedelta(minutes=5)
    top = selectors.default_unit()
    reseller = _unit("Reseller", "reseller", top.pk, now)
    branches = [_unit(f"Branch {n}", "branch", reseller, now) for n in range(BRANCHES)]
    _spread(customers, [reseller, *branches])
    people = {
        "owner": _person("owner", "owner", top.pk, now),
        "branch": _person("branch", "support", reseller, now),
        "granted": _person("granted", "support", branches[0], now),
        "heavy": _person("heavy", "support", branches[1], now),
    }
    _grants(now, branches[2])
    _rules(now)
    return people


def _unit(name: str, kind: str, parent: int, now: Any) -> int:
    return identity.create_unit(
        name=name, kind=kind, parent_id=parent, actor=ACTOR, now=now
    ).pk


def _spread(customers: int, units: list[int]) -> None:
    """Every twentieth customer belongs to the reseller or one of its branches."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE identity_customer SET unit_id = (%s::bigint[])[1 + (id / 20) %% %s]"
            " WHERE id %% 20 = 0",
            [units, len(units)],
        )


def _person(name: str, role: str, unit_id: int, now: Any) -> dict[str, str]:
    user = identity.create_staff(
        username=name, email=f"{name}@demo-isp.example", name=name, role_slug=role,
        unit_id=unit_id, actor=ACTOR, now=now,
    )  # fmt: skip
    link = identity.invite_staff(user_id=user.pk, actor=ACTOR, now=now)
    password = f"{name} carries the bench over nine bridges"
    session = identity.accept_invitation(token=link.token, password=password, now=now)
    secret = identity.enrol_totp(session_id=session.pk, now=now).secret
    otp = totp(secret, at=now.timestamp())
    identity.confirm_totp(session_id=session.pk, otp=otp, now=now)
    return {"username": name, "password": password, "secret": secret}


def _grants(now: Any, unit_id: int) -> None:
    kind = ContentType.objects.get_for_model(Customer)
    permission = Permission.objects.get(content_type=kind, codename=ASKED)
    some = list(Customer.objects.order_by("pk").values_list("pk", flat=True)[:GRANTS])
    holders = [User.objects.get(username="granted").pk]
    for number in range(HOLDERS - 1):
        user = identity.create_staff(
            username=f"holder{number}", email="", name="Holder", role_slug="support",
            unit_id=unit_id, actor=ACTOR, now=now,
        )  # fmt: skip
        holders.append(user.pk)
    share = max(1, len(some) // HOLDERS)
    rows = [
        CustomerGrant(user_id=holders[min(number // share, HOLDERS - 1)],
                      permission=permission, content_object_id=pk)
        for number, pk in enumerate(some)
    ]  # fmt: skip
    heavy = User.objects.get(username="heavy").pk
    rows += [
        CustomerGrant(user_id=heavy, permission=permission, content_object_id=pk)
        for pk in some
    ]
    CustomerGrant.objects.bulk_create(rows, batch_size=2_000)


def _rules(now: Any) -> None:
    AccessRule.objects.bulk_create(
        [
            AccessRule(
                slug=f"rule-{number}", name=f"Rule {number}", why="Measured.",
                effect="deny", state="on", changed_by="benchmark",
                permissions=["identity.*" if number % 2 else "billing.*"],
                expression=expression_of(number),
            )
            for number in range(RULES)
        ]
    )  # fmt: skip


def expression_of(number: int) -> str:
    """Of the rules about the permission asked (odd ones) every second is whole."""
    return (WHOLE if number % 4 == 1 else SHORT).format(above=24 + number)


def decide(names: list[str], times: int) -> dict[str, dict[str, float]]:
    """What a request asks before its view, from live rows, again and again."""
    found = {}
    for name in names:
        token = _token(name)
        spent, used = [], []
        with CaptureQueriesContext(connection) as captured:
            _decide(token)
        for _ in range(times):
            began, cpu = time.perf_counter(), time.thread_time()
            _decide(token)
            used.append((time.thread_time() - cpu) * 1000)
            spent.append((time.perf_counter() - began) * 1000)
        found[name] = {
            "median_ms": statistics.median(spent),
            "p99_ms": percentile(spent, 0.99),
            "cpu_ms": statistics.fmean(used),
            "queries": len(captured),
        }
    return found


def _token(name: str) -> str:
    """A bearer token of a sign-in that is whole."""
    now = timezone.now()
    user = User.objects.get(username=name)
    session = Session.objects.filter(user=user).latest("pk")
    Session.objects.filter(pk=session.pk).update(
        stage=SessionStage.FULL, mfa_at=now, ended_at=None, end_reason=""
    )
    return write_access_token(
        jwt_keys(), AccessClaims(user.pk, session.pk), issuer=settings.BASE_URL,
        jti="bench", now=now,
    )  # fmt: skip


def _decide(token: str) -> None:
    """Who asks (token, session row), what they hold (rights, rules), may they."""
    now = timezone.now()
    session = selectors.session_of_access_token(token, now=now)
    actor = selectors.actor_for_session(session, now=now, address=ADDRESS)
    actor.require(ASKED)
