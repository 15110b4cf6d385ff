"""The same reference against rows: roles, units, grants, memberships, rules, sessions.

What `actor_for_session` reads of them must say what the reference says, for each
customer of a list as for one act.
"""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import (
    AccessRule,
    CustomerGrant,
    Membership,
    Role,
    RoleAssignment,
    RolePermission,
    Session,
    UnitGrant,
)
from dotmac.core.errors import PermissionRefused
from tests.identity.test_access_engine import (
    CUSTOMERS,
    MONEY,
    NEVER_S,
    PERMISSIONS,
    UNITS,
    may,
    random_act,
    random_rules,
    some,
)
from tests.world import NOON, SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.security]
CASES, ACTS = 300, 4
ROLES = ("owner", "support", "auditor")
# What a membership gives of the permissions in question, by hand.
OF_RIGHTS = {
    "full": {"catalog.view_service", "billing.view_invoice"},
    "billing": {"billing.view_invoice"},
    "view": {"catalog.view_service"},
}


class Rows:
    """The tree of the reference as rows, and one case after the other in them."""

    def __init__(self, world):
        self.staff, self.member = world.sola.user, world.chidi.user
        self.units = {1: world.operator}
        for number, above in UNITS.items():
            if above is not None:
                self.units[number] = identity.create_unit(
                    name=f"Unit {number}", kind="branch",
                    parent_id=self.units[above].pk, actor=SYSTEM, now=NOON,
                )  # fmt: skip
        self.customers = {
            number: identity.register_customer(
                kind="individual", name=f"Customer {number}",
                email=f"c{number}@mail.example", unit_id=self.units[unit].pk,
                actor=SYSTEM, now=NOON,
            )
            for number, unit in CUSTOMERS.items()
        }  # fmt: skip
        self.roles = {slug: Role.objects.get(slug=slug) for slug in ROLES}
        self.session = Session.objects.create(
            user=self.staff, face="console", stage="full", started_at=NOON,
            seen_at=NOON, idle_until_at=NOON + timedelta(days=9),
            expires_at=NOON + timedelta(days=9),
        )  # fmt: skip

    def person(self, dice):
        """Staff with roles and grants, or a customer's person; as rows and in words."""
        for model in (RoleAssignment, UnitGrant, CustomerGrant, Membership):
            model.objects.filter(user__in=(self.staff, self.member)).delete()
        if dice.random() < 0.25:
            return self._member(dice)
        held = {}
        words: dict[str, list[Any]] = {
            "unit_grants": [], "customer_grants": [], "members": [],
        }  # fmt: skip
        RolePermission.objects.filter(role__in=self.roles.values()).delete()
        for slug, role in self.roles.items():
            held[slug] = tuple(set(some(dice, PERMISSIONS, 4)))
            RolePermission.objects.bulk_create(
                RolePermission(role=role, permission=name) for name in held[slug]
            )
        roles = {(dice.choice(ROLES), u) for u in some(dice, list(UNITS), 2)}
        for slug, unit in roles:
            RoleAssignment.objects.create(
                user=self.staff, role=self.roles[slug], unit=self.units[unit]
            )
        for unit in some(dice, list(UNITS), 1):
            name = dice.choice(PERMISSIONS)
            self._grant(identity.grant_on_unit, name, unit_id=self.units[unit].pk)
            words["unit_grants"].append(((name,), unit))
        for number in some(dice, list(CUSTOMERS), 2):
            name = dice.choice(PERMISSIONS)
            where = {"customer_id": self.customers[number].pk}
            self._grant(identity.grant_on_customer, name, **where)
            words["customer_grants"].append((name, number))
        words["roles"] = [(held[slug], unit) for slug, unit in roles]
        return self.staff, {slug for slug, _unit in roles}, words

    def _grant(self, grant, name, **where):
        facts = {"user_id": self.staff.pk, "actor": SYSTEM, "now": NOON}
        grant(permission=name, **facts, **where)

    def _member(self, dice):
        words: dict[str, list[Any]] = {
            "roles": [], "unit_grants": [], "customer_grants": [], "members": [],
        }  # fmt: skip
        for number in set(some(dice, list(CUSTOMERS), 3)):
            rights = dice.choice(list(OF_RIGHTS))
            Membership.objects.create(
                user=self.member, customer=self.customers[number], rights=rights
            )
            words["members"] += [(name, number) for name in OF_RIGHTS[rights]]
        return self.member, set(), words

    def rules(self, dice):
        AccessRule.objects.all().delete()
        rules = random_rules(dice)
        for number, (effect, patterns, expression) in enumerate(rules):
            AccessRule.objects.create(
                slug=f"rule-{number}", name="x", why="x", effect=effect, state="on",
                permissions=list(patterns), expression=expression, changed_by="x",
            )  # fmt: skip
        return rules

    def come_in(self, dice, user, roles):
        """The actor that the middleware makes of the row, and what rules may know."""
        # Staff without a second factor hold nothing: that is the session's to say.
        ages = (0, 59, 60, 299, 300, *([NEVER_S] if user == self.member else []))
        age_s = dice.choice(ages)
        hour, address = dice.randint(0, 23), dice.choice(("10.1.2.3", "203.0.113.7"))
        now = datetime(2026, 11, 23, hour, tzinfo=settings.OPERATOR_ZONE)
        self.session.user, self.session.address = user, address
        self.session.face = "console" if user == self.staff else "portal"
        never = age_s == NEVER_S
        self.session.mfa_at = None if never else now - timedelta(seconds=age_s)
        self.session.save()
        row = selectors.live_session(session_id=self.session.pk, now=now)
        assert row is not None
        facts = {
            "actor.mfa_age_s": age_s, "actor.roles": sorted(roles),
            "request.hour": hour, "request.address": address,
        }  # fmt: skip
        return selectors.actor_for_session(row, now=now, address=address), facts

    def lets(self, actor, act):
        permission, number, amount = act
        rows = selectors.customers_visible_to(actor, permission)
        if not rows.filter(pk=self.customers[number].pk).exists():
            return False
        try:
            if amount is not None:
                actor.weigh(permission, MONEY[amount])
        except PermissionRefused:
            return False
        return True


def test_the_rows_are_the_reference_on_hundreds_of_cases(world):
    seed = random.SystemRandom().randrange(2**32)
    dice, rows = random.Random(seed), Rows(world)
    said = {True: 0, False: 0}
    for number in range(CASES):
        user, roles, words = rows.person(dice)
        rules = rows.rules(dice)
        actor, facts = rows.come_in(dice, user, roles)
        for act in [random_act(dice) for _ in range(ACTS)]:
            wanted = may(words, rules, facts, act)
            assert rows.lets(actor, act) == wanted, (seed, number, act)
            said[wanted] += 1
    assert min(said.values()) > CASES * ACTS / 20, said
