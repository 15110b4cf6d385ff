"""Rules: written, refused when saved, asked, approved, and what they then refuse."""

from datetime import timedelta
from typing import Any

import pytest

from apps.billing import operations as billing
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    NotTheAsker,
    PolicyLocksOut,
    RuleStateRefused,
    RuleTaken,
    SamePerson,
    StepDecided,
    StepOpen,
)
from apps.identity.models import AccessRule, Session
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, PermissionRefused
from dotmac.core.expressions import ExpressionRefused
from dotmac.core.money import Money
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
OFFICE = "in_network(request.address, '192.0.2.0/24')"
LARGE: dict[str, Any] = {
    "name": "Large payments from the office",
    "why": "Above 50,000 only from the office, with a code of the last five minutes.",
    "effect": "deny",
    "permissions": ["billing.record_payment", "billing.issue_credit_note"],
    "expression": (f"amount.major > 50000.0 && !({OFFICE} && actor.mfa_age_s < 300)"),
}
NIGHT: dict[str, Any] = {
    "name": "Holds by day",
    "why": "Nobody is held at night.",
    "effect": "require",
    "permissions": ["network.place_hold"],
    "expression": "request.hour >= 8 && request.hour < 18",
}


def write(**changes):
    return identity.create_rule(**{**NIGHT, **changes}, actor=SYSTEM, now=NOON)


def switch_on(rule, now=NOON):
    asked = identity.ask_rule_step(
        rule_id=rule.pk, step="switch_on", actor=SYSTEM, now=now
    )
    identity.approve_rule_step(step_id=asked.pk, actor=SYSTEM, now=now)
    rule.refresh_from_db()
    assert rule.state == "on"
    return rule


def came_in(person, *, address="192.0.2.10", mfa_age=timedelta(minutes=1), now=NOON):
    """The person's actor, as a session at this address with such a code makes it."""
    session = Session.objects.create(
        user=person.user, face="console", stage="full", address=address,
        started_at=now - timedelta(hours=1), seen_at=now, mfa_at=now - mfa_age,
        idle_until_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=8),
    )  # fmt: skip
    return selectors.actor_for_session(session, now=now, address=address)


def record(world, actor, major):
    return billing.record_payment(
        customer_id=world.chidi.customer.pk,
        amount=Money(major * 100, "NGN"),
        method="cash",
        actor=actor,
        now=NOON,
    )


# What rules do -----------------------------------------------------------------


def test_large_amounts_only_from_the_office_with_a_fresh_code(world):
    switch_on(write(**LARGE))
    office = came_in(world.bisi)
    home = came_in(world.bisi, address="203.0.113.9")
    stale = came_in(world.bisi, mfa_age=timedelta(minutes=6))

    assert record(world, office, 50_001).amount == Money(5_000_100, "NGN")
    assert record(world, home, 50_000)
    for actor in (home, stale):
        with pytest.raises(PermissionRefused, match="only from the office") as refusal:
            record(world, actor, 50_001)
        assert refusal.value.facts == {
            "permission": "billing.record_payment",
            "rule": "large-payments-from-the-office",
        }
    # Without an amount nobody is refused: the list and the form stay open.
    assert home.may("billing.record_payment")


def test_the_same_rule_weighs_a_credit_note(world):
    from tests.billing.owing import bill

    switch_on(write(**LARGE))
    invoice = bill(world.chidi.customer, 9_000_000)
    home = came_in(world.bisi, address="203.0.113.9")
    with pytest.raises(PermissionRefused):
        billing.issue_credit_note(
            invoice_id=invoice.pk, reason="x", full=True, actor=home, now=NOON
        )
    invoice.refresh_from_db()
    assert invoice.credited_minor == 0


def test_a_rule_takes_a_permission_away_for_all_rows_alike(world):
    assert world.chidi
    switch_on(
        write(
            permissions=["identity.view_customer"],
            expression="request.hour < 8",
            name="Early birds",
        )
    )
    actor = came_in(world.sola)  # noon in Lagos

    assert actor.may("identity.view_customer") is False
    assert not selectors.customers_visible_to(actor, "identity.view_customer").exists()
    assert actor.may("catalog.view_service")
    with pytest.raises(PermissionRefused) as refusal:
        actor.require("identity.view_customer")
    assert refusal.value.facts["rule"] == "early-birds"


@pytest.mark.parametrize("state", ["draft", "trial", "off"])
def test_only_what_is_on_refuses(world, state):
    rule = write(expression="false")
    AccessRule.objects.filter(pk=rule.pk).update(state=state)

    assert came_in(world.nuru).may("network.place_hold")


def test_a_rule_whose_facts_are_missing_refuses(world):
    """Somebody in whose name a program works came in from nowhere."""
    switch_on(write())
    assert world.nuru.actor.may("network.place_hold") is False
    assert came_in(world.nuru).may("network.place_hold")


def test_without_a_second_factor_nobody_is_fresh(world):
    switch_on(write(name="Fresh", expression="actor.mfa_age_s < 2000000000"))
    session = Session.objects.create(
        user=world.nuru.user, face="api", stage="full", started_at=NOON, seen_at=NOON,
        idle_until_at=NOON + timedelta(hours=1), expires_at=NOON + timedelta(hours=8),
    )  # fmt: skip
    actor = selectors.actor_for_session(session, now=NOON, address="192.0.2.1")
    assert actor.may("network.place_hold") is False


def test_rules_know_the_roles_and_the_platform_is_not_asked(world):
    switch_on(
        write(
            name="Owners",
            expression="'owner' in actor.roles",
            permissions=["network.*"],
        )
    )
    assert came_in(world.ada).may("network.place_hold")
    assert came_in(world.nuru).may("network.view_nas") is False
    assert SYSTEM.may("network.view_nas")


# Refused when saved ------------------------------------------------------------


def test_a_mistake_is_refused_with_its_place(world):
    with pytest.raises(ExpressionRefused) as refusal:
        write(expression="request.hour > 8 &&\n  request.moon == 1")
    assert (refusal.value.facts["line"], refusal.value.facts["column"]) == (2, 10)
    assert not AccessRule.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 200}, "name"),
        ({"why": ""}, "why"),
        ({"effect": "allow"}, "effect"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["identity.walk_on_water"]}, "permissions"),
        ({"permissions": ["network.place_hold"] * 2 + ["nothing.*"]}, "permissions"),
        ({"expression": "amount.major > 1.0"}, "permissions"),
        ({"permissions": ["billing.*"], "expression": "amount.minor > 1"}, "permissions"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_not_saved(world, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        write(**changes)
    assert refusal.value.field == field
    assert not AccessRule.objects.exists()


def test_a_name_is_taken_once(world):
    write()
    with pytest.raises(RuleTaken):
        write(why="Another")


@pytest.mark.parametrize(
    "expression",
    ["false", "actor.username == 'nobody'", "request.hour > 23",
     "actor.mfa_age_s > 1000000 && request.hour == 1"],
)  # fmt: skip
def test_a_policy_that_locks_everybody_out_is_not_saved(world, expression):
    assert world.ada
    with pytest.raises(PolicyLocksOut):
        write(permissions=["identity.manage_rules"], expression=expression)
    assert not AccessRule.objects.exists()


def test_a_policy_that_leaves_a_way_in_is_saved(world):
    assert world.ada
    rule = write(permissions=["*"], expression=f"{OFFICE} && request.weekday < 6")
    assert rule.state == "draft"


def test_two_rules_that_lock_out_together_are_seen_together(world):
    assert world.ada
    switch_on(write(permissions=["*"], expression="request.hour < 12", name="Morning"))
    with pytest.raises(PolicyLocksOut):
        write(permissions=["*"], expression="request.hour >= 12", name="Afternoon")


def test_what_locks_out_by_the_time_of_approval_is_refused(world):
    """Both drafts leave a way in; the second to be switched on would not."""
    assert world.ada
    morning = write(permissions=["*"], expression="request.hour < 12", name="Morning")
    later = write(permissions=["*"], expression="request.hour >= 12", name="Afternoon")
    asked = identity.ask_rule_step(
        rule_id=later.pk, step="switch_on", actor=SYSTEM, now=NOON
    )
    switch_on(morning)

    with pytest.raises(PolicyLocksOut):
        identity.approve_rule_step(step_id=asked.pk, actor=SYSTEM, now=NOON)
    later.refresh_from_db()
    assert later.state == "draft"


# Four eyes ---------------------------------------------------------------------


def ask(rule, who, step="switch_on", **more):
    return identity.ask_rule_step(
        rule_id=rule.pk, step=step, actor=came_in(who), now=NOON, **more
    )


def test_one_asks_and_another_approves(world):
    assert world.mina
    rule = write()
    asked = ask(rule, world.ada)

    with pytest.raises(SamePerson):
        identity.approve_rule_step(step_id=asked.pk, actor=came_in(world.ada), now=NOON)
    rule.refresh_from_db()
    assert rule.state == "draft"

    for _ in range(2):  # repeatable
        done = identity.approve_rule_step(
            step_id=asked.pk, actor=came_in(world.mina), now=NOON
        )
        assert done.alone is False
    rule.refresh_from_db()
    assert rule.state == "on"
    written = AuditEntry.objects.filter(action="identity.approve_rule_step")
    assert written.count() == 1


def test_where_nobody_else_could_approve_it_is_done_alone_and_says_so(world):
    rule = write()
    asked = ask(rule, world.ada)

    done = identity.approve_rule_step(
        step_id=asked.pk, actor=came_in(world.ada), now=NOON
    )

    assert done.alone is True
    entry = AuditEntry.objects.get(action="identity.approve_rule_step")
    assert entry.changes["alone"] is True


def test_what_is_on_changes_by_approval_only(world):
    rule = switch_on(write())
    with pytest.raises(RuleStateRefused):
        identity.change_rule(rule_id=rule.pk, **NIGHT, actor=SYSTEM, now=NOON)
    with pytest.raises(RuleStateRefused):
        identity.set_rule_state(rule_id=rule.pk, state="draft", actor=SYSTEM, now=NOON)
    with pytest.raises(RuleStateRefused):
        identity.delete_rule(rule_id=rule.pk, actor=SYSTEM, now=NOON)

    text = {**NIGHT, "expression": "request.hour < 20"}
    asked = ask(rule, world.ada, "change", text=text)
    with pytest.raises(StepOpen):
        ask(rule, world.ada, "switch_off")
    identity.approve_rule_step(step_id=asked.pk, actor=SYSTEM, now=NOON)
    rule.refresh_from_db()
    assert (rule.state, rule.expression) == ("on", "request.hour < 20")

    off = ask(rule, world.ada, "switch_off")
    identity.approve_rule_step(step_id=off.pk, actor=SYSTEM, now=NOON)
    rule.refresh_from_db()
    assert rule.state == "off"


@pytest.mark.security
def test_what_is_approved_is_what_was_read(world):
    """Ada asks, Mina reads, Ada saves another text: the approval switched that on."""
    rule = write()
    asked = ask(rule, world.ada)
    other = {**NIGHT, "expression": "false"}
    with pytest.raises(StepOpen):
        identity.change_rule(rule_id=rule.pk, **other, actor=SYSTEM, now=NOON)
    identity.approve_rule_step(step_id=asked.pk, actor=came_in(world.mina), now=NOON)
    rule.refresh_from_db()
    assert (rule.state, rule.expression) == ("on", NIGHT["expression"])


def test_who_asked_withdraws_and_nobody_else(world):
    rule = write()
    asked = ask(rule, world.ada)
    values = {"step_id": asked.pk, "now": NOON}
    with pytest.raises(NotTheAsker):
        identity.withdraw_rule_step(actor=came_in(world.mina), **values)
    for _ in range(2):
        left = identity.withdraw_rule_step(actor=came_in(world.ada), **values)
        assert left.outcome == "declined"
    written = AuditEntry.objects.filter(action="identity.withdraw_rule_step")
    assert written.count() == 1
    # And the text is free again.
    text = {**NIGHT, "expression": "request.hour < 20"}
    identity.change_rule(rule_id=rule.pk, **text, actor=SYSTEM, now=NOON)
    done = ask(rule, world.ada)
    identity.approve_rule_step(step_id=done.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(StepDecided):
        identity.withdraw_rule_step(step_id=done.pk, actor=came_in(world.ada), now=NOON)


def test_what_was_declined_is_not_done(world):
    rule = write()
    asked = ask(rule, world.ada)
    for _ in range(2):
        identity.decline_rule_step(step_id=asked.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(StepDecided):
        identity.approve_rule_step(step_id=asked.pk, actor=SYSTEM, now=NOON)
    rule.refresh_from_db()
    assert rule.state == "draft"

    other = ask(rule, world.ada)
    identity.approve_rule_step(step_id=other.pk, actor=SYSTEM, now=NOON)
    with pytest.raises(StepDecided):
        identity.decline_rule_step(step_id=other.pk, actor=SYSTEM, now=NOON)


def test_a_step_that_makes_no_sense_is_refused(world):
    rule = write()
    with pytest.raises(RuleStateRefused):
        ask(rule, world.ada, "switch_off")
    with pytest.raises(InvalidInput):
        ask(rule, world.ada, "forget")
    switch_on(rule)
    with pytest.raises(RuleStateRefused):
        ask(rule, world.ada, "switch_on")
    with pytest.raises(ExpressionRefused):
        ask(rule, world.ada, "change", text={**NIGHT, "expression": "moon"})


def test_drafts_are_written_anew_and_forgotten(world):
    rule = write()
    for _ in range(2):
        identity.change_rule(
            rule_id=rule.pk, **{**NIGHT, "why": "By day."}, actor=SYSTEM, now=NOON
        )
    rule.refresh_from_db()
    assert rule.why == "By day."
    assert AuditEntry.objects.filter(action="identity.change_rule").count() == 1
    for state in ("trial", "trial", "draft"):
        identity.set_rule_state(rule_id=rule.pk, state=state, actor=SYSTEM, now=NOON)
    with pytest.raises(InvalidInput):
        identity.set_rule_state(rule_id=rule.pk, state="on", actor=SYSTEM, now=NOON)
    identity.delete_rule(rule_id=rule.pk, actor=SYSTEM, now=NOON)
    assert not AccessRule.objects.exists()
