"""The engine against a reference of thirty lines, on 100,000 random cases.

The engine is what every request asks: an Actor with its RulePolicy. Some hundred
cases begin in the rows themselves: test_access_engine_rows.py.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest

from apps.identity.rules.policy import Rule, RulePolicy, judge
from dotmac.core.actors import Actor, ActorKind, Circumstances, Scope
from dotmac.core.errors import PermissionRefused
from dotmac.core.money import Money
from dotmac.core.permissions import is_whole

pytestmark = [pytest.mark.unit, pytest.mark.security]
CASES, ACTS = 100_000, 5
NEVER_S = 2**31 - 1
MONEY = {major: Money(major * 100, "NGN") for major in (100, 50_000, 50_001)}
PERMISSIONS = (
    "billing.record_payment", "billing.view_invoice", "catalog.view_service",
    "identity.manage_rules", "network.place_hold",
)  # fmt: skip
WHOLE = {"identity.manage_rules"}  # reached from the operator's top only
PATTERNS = ("*", "billing.*", "*.view_*", "billing.record_payment", "network.*")
# An expression with the same condition in Python; None where a fact is missing.
CONDITIONS = {
    "true": lambda f: True,
    "false": lambda f: False,
    "actor.mfa_age_s < 300": lambda f: f["actor.mfa_age_s"] < 300,
    "'owner' in actor.roles": lambda f: "owner" in f["actor.roles"],
    "request.hour >= 8 && request.hour < 18": lambda f: 8 <= f["request.hour"] < 18,
    "in_network(request.address, '10.0.0.0/8') || actor.mfa_age_s < 60": lambda f: (
        f["request.address"].startswith("10.") or f["actor.mfa_age_s"] < 60
    ),
    "action == 'network.place_hold'": lambda f: f["action"] == "network.place_hold",
    "amount.major > 50000.0": lambda f: f["amount.major"] > 50_000,
}
UNITS = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4}  # child: parent; 1 is the operator
CUSTOMERS = {10: 1, 11: 2, 12: 4, 13: 5, 14: 3, 15: 6}  # customer: unit
NEEDS = {
    "true": (), "false": (), "actor.mfa_age_s < 300": ("actor.mfa_age_s",),
    "'owner' in actor.roles": ("actor.roles",),
    "request.hour >= 8 && request.hour < 18": ("request.hour",),
    "in_network(request.address, '10.0.0.0/8') || actor.mfa_age_s < 60": (
        "request.address", "actor.mfa_age_s"),
    "action == 'network.place_hold'": (), "amount.major > 50000.0": (),
}  # fmt: skip


# The reference -----------------------------------------------------------------


def matches(pattern, permission):
    if pattern == "*.view_*":
        return ".view_" in permission
    return permission.startswith(pattern.rstrip("*"))


def above(unit):
    while unit is not None:
        yield unit
        unit = UNITS[unit]


def may(person, rules, facts, act):
    """Whether this permission of this person reaches this customer now."""
    permission, customer, amount = act
    reached = any(
        permission in permissions
        and unit in set(above(CUSTOMERS[customer]))
        and (unit == 1 or permission not in WHOLE)
        for permissions, unit in person["roles"] + person["unit_grants"]
    ) or (
        (permission, customer) in person["customer_grants"] + person["members"]
        and permission not in WHOLE
    )
    if not reached:
        return False
    for effect, patterns, expression in rules:
        if not any(matches(pattern, permission) for pattern in patterns):
            continue
        if "amount" in expression and amount is None:
            continue
        if any(name not in facts for name in NEEDS[expression]):
            return False
        said = CONDITIONS[expression](
            {**facts, "action": permission, "amount.major": amount or 0}
        )
        if said == (effect == "deny"):
            return False
    return True


# The engine, fed as the rows feed it -------------------------------------------


def subtree(unit):
    return frozenset(one for one in UNITS if unit in set(above(one)))


def scopes_of(person):
    """As `selectors.rights` builds them from its rows."""
    found: dict[str, Scope] = {}

    def add(permission, scope):
        found[permission] = found.get(permission, Scope()) | scope

    for permissions, unit in person["roles"] + person["unit_grants"]:
        for permission in permissions:
            whole = unit == 1
            units = frozenset() if whole else subtree(unit)
            if whole or permission not in WHOLE:
                add(permission, Scope(everything=whole, unit_ids=units))
    for permission, customer in person["customer_grants"] + person["members"]:
        if permission not in WHOLE:
            add(permission, Scope(customer_ids=frozenset((customer,))))
    return found


def actor_of(person, rules, facts):
    """As `selectors.actors` builds it; who came in from nowhere has no facts."""
    now = datetime(2026, 11, 23, facts.get("request.hour", 0), tzinfo=UTC)
    age_s = facts.get("actor.mfa_age_s")
    circumstances = None
    if age_s is not None:
        circumstances = Circumstances(
            now=now,
            face="console",
            roles=frozenset(facts["actor.roles"]),
            mfa_at=None if age_s == NEVER_S else now - timedelta(seconds=age_s),
        )
    return Actor(
        kind=ActorKind.STAFF, id=7, label="somebody", scopes=scopes_of(person),
        address=facts.get("request.address", ""), circumstances=circumstances,
        policy=RulePolicy(tuple(as_rules(rules)), UTC),
    )  # fmt: skip


def lets(actor, act):
    """What a request does: the rows that it reaches, then the amount it weighs."""
    permission, customer, amount = act
    if not reaches(actor.scope(permission), customer):
        return False
    try:
        if amount is not None:
            actor.weigh(permission, MONEY[amount])
    except PermissionRefused:
        return False
    return True


def reaches(scope, customer):
    return (
        scope.everything
        or CUSTOMERS[customer] in scope.unit_ids
        or customer in scope.customer_ids
    )


# Random cases ------------------------------------------------------------------


def some(dice, values, most):
    return [dice.choice(values) for _ in range(dice.randint(0, most))]


def random_person(dice):
    permissions = lambda: tuple(some(dice, PERMISSIONS, 4))  # noqa: E731
    customers = list(CUSTOMERS)
    return {
        "roles": [(permissions(), u) for u in some(dice, list(UNITS), 2)],
        "unit_grants": [
            ((dice.choice(PERMISSIONS),), u) for u in some(dice, list(UNITS), 1)
        ],
        "customer_grants": [
            (dice.choice(PERMISSIONS), c) for c in some(dice, customers, 2)
        ],
        "members": [(dice.choice(PERMISSIONS), c) for c in some(dice, customers, 1)],
    }


def random_rules(dice):
    return [
        (
            dice.choice(("deny", "require")),
            tuple(some(dice, PATTERNS, 2)) or ("billing.*",),
            dice.choice(list(CONDITIONS)),
        )
        for _ in range(dice.randint(0, 4))
    ]


def random_facts(dice):
    """Of somebody at a place, or nowhere, who came in, or in whose name one works."""
    facts = {}
    if dice.random() > 0.1:
        facts["request.address"] = dice.choice(("10.1.2.3", "203.0.113.7"))
    if dice.random() > 0.1:
        facts["actor.mfa_age_s"] = dice.choice((0, 59, 60, 299, 300, NEVER_S))
        facts["actor.roles"] = dice.choice((["owner"], ["support"], []))
        facts["request.hour"] = dice.randint(0, 23)
    return facts


def as_rules(rules):
    return [
        Rule(slug=f"rule-{n}", effect=effect, permissions=patterns, expression=text)
        for n, (effect, patterns, text) in enumerate(rules)
    ]


def random_act(dice):
    """A permission, a customer and an amount."""
    return (
        dice.choice(PERMISSIONS),
        dice.choice(list(CUSTOMERS)),
        dice.choice((None, 100, 50_000, 50_001)),
    )


def test_the_engine_is_the_reference_on_100_000_cases():
    """Each person, under rules and in circumstances of its own, tries five acts."""
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    said = {True: 0, False: 0}
    for number in range(CASES // ACTS):
        person, rules = random_person(dice), random_rules(dice)
        facts = random_facts(dice)
        actor = actor_of(person, rules, facts)
        for _ in range(ACTS):
            act = random_act(dice)
            wanted = may(person, rules, facts, act)
            assert lets(actor, act) == wanted, (seed, number, act)
            said[wanted] += 1
    assert sum(said.values()) == CASES
    assert min(said.values()) > CASES / 20, "one answer is hardly ever asked for"


def test_the_reference_knows_what_is_about_the_whole():
    assert {name for name in PERMISSIONS if is_whole(name)} == WHOLE


def test_the_order_of_rules_has_no_effect():
    dice = random.Random(7)
    for _ in range(2_000):
        made, facts = as_rules(random_rules(dice)), random_facts(dice)
        permission = dice.choice(PERMISSIONS)
        outcome = judge(made, facts, permission)
        dice.shuffle(made)
        assert judge(made, facts, permission) == outcome


def test_a_rule_on_trial_refuses_nobody_and_is_named():
    rule = Rule(
        slug="trial", effect="deny", permissions=("*",), expression="true",
        state="trial",
    )  # fmt: skip
    outcome = judge([rule], {}, "billing.record_payment")
    assert (outcome.rule, outcome.would_refuse) == (None, ("trial",))


def test_an_expression_that_does_not_compile_any_more_refuses():
    rule = Rule(slug="old", effect="deny", permissions=("*",), expression="gone == 1")
    outcome = judge([rule], {}, "billing.record_payment")
    assert (outcome.rule, outcome.erred) == ("old", ("old",))
