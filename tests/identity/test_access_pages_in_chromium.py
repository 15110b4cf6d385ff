"""The pages that explain access in a real browser: quiet, and no wider than the phone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.models import AccessDecision, AccessRule
from tests.browser import chromium, site, visit, walk
from tests.sessions import enter
from tests.world import SYSTEM, World

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]
OFFICE = "in_network(request.address, '192.0.2.0/24')"


@pytest.fixture
def owner(site):
    """Ada's cookies, and people, rules and a week of decisions to explain."""
    world = World()
    customers = [world.chidi.customer, world.esi.customer]
    assert all([world.ada, world.sola, world.remi, world.femi, world.mina, world.bisi])
    _rule(
        world, "Payments from the office", "require", ["billing.record_payment"],
        f"amount.major <= 50000.0 || {OFFICE} && actor.mfa_age_s < 300",
    )  # fmt: skip
    _rule(
        world, "Nobody looks at night", "deny", ["identity.view_*", "billing.view_*"],
        "request.hour < 6 && !('owner' in actor.roles)",
    )  # fmt: skip
    AccessRule.objects.filter(effect="deny").update(state="trial")
    identity.grant_on_customer(
        user_id=world.remi.id, customer_id=customers[0].pk, actor=SYSTEM,
        permission="identity.view_customer", now=world.now,
    )  # fmt: skip
    _decide(["sola", "bisi", "mina"])
    return {"sessionid": enter(world.ada).cookies["sessionid"].value}


def _rule(world, name, effect, permissions, expression):
    identity.create_rule(
        name=name, why="Ask the office.", effect=effect, permissions=permissions,
        expression=expression, actor=SYSTEM, now=world.now,
    )  # fmt: skip


def _decide(names):
    """A week in which people worked at all hours."""
    now = timezone.now()
    AccessDecision.objects.bulk_create(
        AccessDecision(
            at=now - timedelta(hours=number), actor_kind="staff", actor_id=number % 3,
            actor_label=names[number % 3], granted=number % 9 != 0,
            permission=("identity.view_customer", "billing.record_payment")[number % 2],
            rule="" if number % 9 else "nobody-looks-at-night",
            amount_minor=number * 100_000 if number % 2 else None,
            currency="NGN" if number % 2 else "",
            facts={
                "actor.username": names[number % 3], "actor.kind": "staff",
                "actor.roles": ["support"], "request.address": "198.51.100.7",
                "request.hour": number % 24, "request.weekday": 1 + number % 7,
                "request.minute_of_day": number % 24 * 60, "actor.mfa_age_s": 900,
                "actor.session_age_s": 1200, "actor.api_key": False, "actor.face": "console",
            },
        )
        for number in range(160)
    )  # fmt: skip


PATHS = (
    "access?permission=identity.view_customer&customer=C-000001",
    "access",
    "access-of?user=remi",
    "access-of?user=chidi",
    "access-rules",
    "access-rules/1",
    "access-rules/1?tab=try",
    "access-rules/2?tab=try",
    "decisions",
    "decisions/10",
    "customers/1?tab=access",
    "role-matrix",
)


def test_what_explains_access_is_quiet_and_fits(visit, owner):
    assert walk(visit(owner), [f"/console/{path}" for path in PATHS]) == {}
