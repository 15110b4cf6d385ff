"""Where rules, roles and the log of decisions end, and what is not there."""

from datetime import UTC, timedelta
from importlib import import_module

import pytest

from apps.identity import operations as identity
from apps.identity.models import AccessDecision, AccessRule
from apps.identity.operations import decisions
from apps.identity.rules.giving import held_beyond
from apps.identity.rules.policy import NOTES_MAX, RulePolicy, facts_of
from apps.ops.models import AuditEntry
from dotmac.core.actors import EVERYTHING
from dotmac.core.errors import InvalidInput, NotFound
from tests.identity.test_access_rules import switch_on, write
from tests.identity.test_own_roles import make
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
NOBODYS = 2**40


@pytest.mark.parametrize(
    ("module", "limit", "act"),
    [
        ("access_rules", "RULES_MAX", lambda _: write()),
        ("own_roles", "ROLES_MAX", make),
    ],
)
def test_there_is_a_limit_to_what_people_make(world, monkeypatch, module, limit, act):
    monkeypatch.setattr(import_module(f"apps.identity.operations.{module}"), limit, 0)
    with pytest.raises(InvalidInput) as refused:
        act(world)
    assert refused.value.field == "name"


def test_what_is_gone_is_not_found(world):
    with pytest.raises(NotFound):
        identity.delete_rule(rule_id=NOBODYS, actor=SYSTEM, now=NOON)
    with pytest.raises(NotFound):
        identity.decline_rule_step(step_id=NOBODYS, actor=SYSTEM, now=NOON)


def test_the_platform_holds_what_anybody_holds_and_is_asked_by_no_rule(world):
    assert held_beyond(SYSTEM, {"identity.view_customer": EVERYTHING}) == []
    assert "actor.id" not in facts_of(SYSTEM, UTC)
    assert identity.record_decisions(actor=SYSTEM, now=NOON) == 0


def test_a_loop_does_not_fill_the_memory_with_notes():
    policy = RulePolicy(rules=(), zone=UTC)
    for _ in range(NOTES_MAX + 1):
        policy.note("identity.view_customer", granted=True)
    assert len(policy.noted) == NOTES_MAX


def test_of_what_was_seen_the_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(decisions, "_SEEN_MAX", 1)
    seen = decisions._Latest()
    assert [seen.is_new(key) for key in ("a", "a", "b", "a")] == [
        True, False, True, True,
    ]  # fmt: skip


def test_old_decisions_go_in_a_bounded_number_of_batches(world, monkeypatch):
    browser = enter(world.sola)
    for page in ("customers", "audit"):
        browser.get(f"/console/{page}")
    AccessDecision.objects.update(at=NOON - timedelta(days=30))
    before = AccessDecision.objects.count()
    assert before >= 2
    monkeypatch.setattr(decisions, "FORGET_BATCH", 1)
    monkeypatch.setattr(decisions, "FORGET_BATCHES_MAX", 1)

    assert identity.forget_decisions(now=NOON) == 1
    assert AccessDecision.objects.count() == before - 1


def test_a_rule_that_errs_is_told_of_once_an_hour(world):
    rule = switch_on(write(name="Errs again", permissions=["identity.view_customer"]))
    AccessRule.objects.filter(pk=rule.pk).update(expression="gone.fact == 1")
    browser = enter(world.sola)
    for _ in range(2):
        assert browser.get("/console/customers").status_code == 403
    assert AuditEntry.objects.filter(action="identity.rule_erred").count() == 1
