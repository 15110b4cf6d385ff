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


def written(who, **facts):
    rows = AccessDecision.objects.filter(actor_label=who, **facts).order_by("pk")
    return [(row.permission, row.granted, row.rule) for row in rows]


def test_opening_a_form_is_no_act(world):
    browser, pk = enter(world.sola), world.chidi.customer.pk
    change = f"/console/customers/{pk}/edit"
    for _ in range(2):
        assert browser.get(change).status_code == 200
        assert browser.get("/console/customers/new").status_code == 200
    acts = ["identity.change_customer", "identity.create_customer"]
    assert written("sola", permission__in=acts) == []
    browser.post(f"/console/customers/{pk}/qualify")
    assert written("sola", permission__in=acts) == [(acts[0], True, "")]
    # A form that somebody may not open is a refusal all the same.
    enter(world.femi).get(change)
    assert written("femi", permission__in=acts) == [(acts[0], False, "")]


def test_a_payment_is_one_act_with_its_amount(world):
    api, body = world.api(world.bisi), {
        "customer": world.chidi.customer.pk, "method": "cash",
        "amount": {"amount": "100.00", "currency": "NGN"},
    }  # fmt: skip
    key = {"Idempotency-Key": "one-payment-and-only-one"}
    answer = api.post("/api/v1/billing/payments", body, headers=key)
    assert answer.status_code == 201, answer.content
    row = AccessDecision.objects.get(permission="billing.record_payment")
    assert (row.granted, row.amount_minor) == (True, 10_000)

    switch_on(write(**{**LARGE, "expression": "amount.major > 50.0"}))
    key = {"Idempotency-Key": "another-payment-altogether"}
    assert api.post("/api/v1/billing/payments", body, headers=key).status_code == 403
    last = AccessDecision.objects.filter(permission="billing.record_payment")[1:]
    assert [(row.granted, row.amount_minor) for row in last] == [(False, 10_000)]


def test_a_look_from_elsewhere_is_another_look(world):
    """Else a rule about places would be tried against the office alone."""
    browser = enter(world.sola)
    for address in ("192.0.2.10", "203.0.113.9", "192.0.2.10"):
        browser.get("/console/customers", REMOTE_ADDR=address)
    world.api(world.sola).get("/api/v1/customers")
    rows = AccessDecision.objects.filter(permission="identity.view_customer")
    places = sorted(
        (row.facts["actor.face"], row.facts["request.address"])
        for row in rows.filter(actor_label="sola")
    )
    assert places == [
        ("api", "127.0.0.1"), ("console", "192.0.2.10"), ("console", "203.0.113.9"),
    ]  # fmt: skip
    rule = write(
        permissions=["identity.view_customer"], name="Office",
        expression="in_network(request.address, '192.0.2.0/24')",
    )  # fmt: skip
    assert selectors.try_rule(rule, now=timezone.now()).refused == 2


@pytest.mark.security
def test_what_is_not_within_reach_was_not_let_through(world):
    """Remi may see customers: those of his reseller."""
    browser, api = enter(world.remi), world.api(world.remi)
    foreign = world.chidi.customer.pk
    assert browser.get(f"/console/customers/{foreign}").status_code == 404
    assert browser.post(f"/console/customers/{foreign}/qualify").status_code == 404
    assert api.get(f"/api/v1/customers/{foreign}").status_code == 404
    assert written("remi") == [
        ("identity.view_customer", False, "out_of_reach"),
        ("identity.change_customer", False, "out_of_reach"),
        ("identity.view_customer", False, "out_of_reach"),
    ]
    shown = enter(world.ada).get("/console/decisions").content.decode()
    assert "nothing like that within reach" in shown


def test_the_page_says_when_not_all_was_tried(world, monkeypatch):
    from apps.identity.selectors import trying

    rule = write()
    page = f"/console/access-rules/{rule.pk}?tab=try"
    for _ in range(3):
        AccessDecision.objects.create(
            at=timezone.now(), actor_kind="staff", actor_label="x", granted=True,
            permission="ops.view_job", facts={},
        )  # fmt: skip
    browser = enter(world.ada)
    assert "only the newest" not in browser.get(page).content.decode()
    monkeypatch.setattr(trying, "CHUNK", 1)
    monkeypatch.setattr(trying, "DECISIONS_MAX", 2)
    assert "only the newest 2 were" in browser.get(page).content.decode()


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
