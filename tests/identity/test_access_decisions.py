"""What was decided is written down, explained, and tried against new rules."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import AccessDecision, AccessRule
from apps.ops.models import AuditEntry
from tests.identity.test_access_rules import LARGE, switch_on, write
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def test_acts_and_refusals_are_written_down_and_looks_once_an_hour(world):
    assert world.chidi
    browser = enter(world.sola)
    for _ in range(2):
        browser.get("/console/customers")
        browser.get("/console/audit")  # support may not
    pk = world.chidi.customer.pk
    browser.post(f"/console/customers/{pk}/qualify")

    def times(**facts):
        return AccessDecision.objects.filter(actor_label="sola", **facts).count()

    assert times(permission="identity.view_customer", granted=True) == 1
    assert times(permission="ops.view_audit", granted=False) == 2
    assert times(permission="identity.change_customer", granted=True) == 1
    seen = AccessDecision.objects.get(permission="identity.change_customer")
    assert seen.facts["actor.username"] == "sola"
    assert seen.facts["request.address"] == "127.0.0.1"
    assert not {"password", "token", "secret"} & set(seen.facts)


def test_a_refusal_on_the_page_says_why_and_by_which_rule(world):
    switch_on(
        write(
            name="Closed shop", why="The shop is closed for stocktaking.",
            permissions=["identity.view_customer"], expression="false",
        )
    )  # fmt: skip
    answer = enter(world.sola).get("/console/customers")
    assert answer.status_code == 403
    assert "The shop is closed for stocktaking." in answer.content.decode()
    assert "closed-shop" in answer.content.decode()
    api = world.api(world.sola).get("/api/v1/customers")
    assert (api.status_code, api.json()["detail"], api.json()["rule"]) == (
        403, "The shop is closed for stocktaking.", "closed-shop",
    )  # fmt: skip
    row = AccessDecision.objects.filter(rule="closed-shop").earliest("pk")
    assert row.granted is False


def test_a_rule_that_errs_is_counted_and_told_of(world):
    """One whose facts are gone since it was saved, say."""
    rule = switch_on(write(permissions=["identity.view_customer"]))
    AccessRule.objects.filter(pk=rule.pk).update(expression="gone == 1")

    assert enter(world.sola).get("/console/customers").status_code == 403
    row = AccessDecision.objects.get(permission="identity.view_customer")
    assert row.erred == [rule.slug]
    told = AuditEntry.objects.get(action="identity.rule_erred")
    assert told.subject_label == rule.slug


def test_a_rule_on_trial_is_counted_live(world):
    rule = write(permissions=["identity.view_customer"], expression="false")
    identity.set_rule_state(rule_id=rule.pk, state="trial", actor=SYSTEM, now=NOON)

    assert enter(world.sola).get("/console/customers").status_code == 200
    row = AccessDecision.objects.get(permission="identity.view_customer")
    assert (row.granted, row.would_refuse) == (True, [rule.slug])


def test_the_try_out_shows_whom_it_would_have_refused(world):
    now = timezone.now()
    facts = {"actor.mfa_age_s": 900, "request.hour": 22, "request.address": "10.0.0.1"}

    def decided(permission, hour, *, at=now, granted=True, **more):
        AccessDecision.objects.create(
            at=at, actor_kind="staff", actor_id=1, actor_label="sola",
            permission=permission, granted=granted,
            facts={**facts, "request.hour": hour}, **more,
        )  # fmt: skip

    for hour in (9, 12, 22, 23):
        decided("network.place_hold", hour)
    decided("network.place_hold", 22, granted=False)
    decided("network.place_hold", 22, at=now - timedelta(days=8))
    decided("billing.view_invoice", 22)
    AccessDecision.objects.create(
        at=now, actor_kind="staff", actor_label="old", permission="network.place_hold",
        granted=True, facts={},
    )  # fmt: skip

    trial = selectors.try_rule(write(), now=now)

    assert (trial.looked_at, trial.asked, trial.refused, trial.erred) == (6, 5, 3, 1)
    assert dict(trial.people) == {"sola": 2, "old": 1}
    assert dict(trial.permissions) == {"network.place_hold": 3}
    assert len(trial.examples) == 3

    decided("billing.record_payment", 12, amount_minor=6_000_000, currency="NGN")
    decided("billing.record_payment", 12, amount_minor=100, currency="NGN")
    decided("billing.record_payment", 12)
    large = selectors.try_rule(write(**LARGE), now=now)
    assert (large.asked, large.refused) == (2, 1)


def test_old_decisions_are_forgotten(world):
    for days in (1, 9):
        AccessDecision.objects.create(
            at=NOON - timedelta(days=days), actor_kind="staff", actor_label="x",
            permission="ops.view_job", granted=True, facts={},
        )  # fmt: skip
    assert identity.forget_decisions(now=NOON) == 1
    assert AccessDecision.objects.count() == 1


def test_a_log_that_cannot_be_written_costs_nobody_the_answer(world, monkeypatch):
    from django.db import DatabaseError

    def broken(**facts):
        raise DatabaseError

    monkeypatch.setattr(identity, "record_decisions", broken)
    assert enter(world.sola).get("/console/customers").status_code == 200
