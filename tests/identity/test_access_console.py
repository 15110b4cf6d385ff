"""The pages of roles, rights and rules, as people use them."""

from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.models import (
    AccessDecision,
    AccessRule,
    AccessRuleStep,
    Role,
    RoleAssignment,
)
from tests.sessions import enter
from tests.world import SYSTEM

pytestmark = pytest.mark.django_db
RULE: dict[str, Any] = {
    "name": "Holds by day",
    "why": "Nobody is held at night.",
    "effect": "require",
    "permissions": "network.place_hold\nnetwork.lift_hold",
    "expression": "request.hour >= 8 && request.hour < 18",
}


def body(answer):
    return answer.content.decode()


def test_a_rule_is_written_tried_asked_and_approved(world):
    owner, manager = enter(world.ada), enter(world.mina)
    answer = owner.post("/console/access-rules/new", RULE)
    rule = AccessRule.objects.get()
    assert answer["Location"] == f"/console/access-rules/{rule.pk}?tab=try"
    assert rule.permissions == ["network.place_hold", "network.lift_hold"]
    page = f"/console/access-rules/{rule.pk}"
    for tab in ("rule", "try", "steps"):
        assert RULE["name"] in body(owner.get(f"{page}?tab={tab}"))

    owner.post(f"{page}/switch-on")
    step = AccessRuleStep.objects.get()
    assert "Waits for approval" in body(owner.get(page))
    own = owner.post(f"{page}/approve", {"step_id": step.pk})
    assert own.status_code == 422
    assert "Somebody else has to approve" in body(own)
    assert "Rules that wait for your approval" in body(manager.get("/console/"))
    assert "Rules that wait for your approval" not in body(owner.get("/console/"))

    stale = manager.post(f"{page}/approve", {"step_id": step.pk + 1})
    assert stale.status_code == 422
    manager.post(f"{page}/approve", {"step_id": step.pk})
    rule.refresh_from_db()
    assert rule.state == "on"

    owner.post(f"{page}/change", {**RULE, "expression": "request.hour < 20"})
    manager.post(f"{page}/decline", {"step_id": step.pk + 1})
    rule.refresh_from_db()
    assert rule.expression == RULE["expression"]


def test_the_approver_sees_and_tries_what_is_asked(world):
    """The change is on nobody's rule yet: before and after stand side by side."""
    made = identity.create_rule(
        **{**RULE, "permissions": ["network.place_hold"]}, actor=SYSTEM, now=world.now
    )
    AccessRule.objects.filter(pk=made.pk).update(state="on")
    AccessDecision.objects.create(
        at=timezone.now(), actor_kind="staff", actor_label="nuru", granted=True,
        permission="network.place_hold", facts={"request.hour": 12},
    )  # fmt: skip
    owner, manager = enter(world.ada), enter(world.mina)
    page = f"/console/access-rules/{made.pk}"
    wanted = {**RULE, "permissions": "network.place_hold", "expression": "1 == 2"}
    owner.post(f"{page}/change", wanted)
    step = AccessRuleStep.objects.get()

    for url in (f"{page}/approve", f"{page}?tab=steps"):
        shown = unescape(body(manager.get(url)))
        assert "1 == 2" in shown
        assert RULE["expression"] in shown
        assert RULE["why"] not in shown.partition("Before")[2]  # It stays.
    assert "Try it" in body(manager.get(f"{page}/approve"))
    tried = body(manager.get(f"{page}?tab=try"))
    assert "With the text that is asked for" in tried
    assert "nuru" in tried

    api = world.api(world.mina)
    path = f"/api/v1/access-rules/{made.pk}/try"
    assert api.post(path).json()["refused"] == 0
    assert api.post(path, {"step": step.pk}).json()["refused"] == 1
    assert api.post(path, {"step": step.pk + 1}).status_code == 404


def test_the_approver_sees_what_is_switched_on(world):
    owner, manager = enter(world.ada), enter(world.mina)
    owner.post("/console/access-rules/new", RULE)
    page = f"/console/access-rules/{AccessRule.objects.get().pk}"
    owner.post(f"{page}/switch-on")
    assert RULE["expression"] in unescape(body(manager.get(f"{page}/approve")))


def test_a_wish_is_withdrawn_from_the_page(world):
    owner = enter(world.ada)
    owner.post("/console/access-rules/new", RULE)
    page = f"/console/access-rules/{AccessRule.objects.get().pk}"
    owner.post(f"{page}/switch-on")
    step = AccessRuleStep.objects.get()
    changed = owner.post(f"{page}/change", {**RULE, "expression": "false"})
    assert (changed.status_code, "waits for approval" in body(changed)) == (422, True)

    owner.post(f"{page}/withdraw", {"step_id": step.pk})
    step.refresh_from_db()
    assert step.outcome == "declined"
    assert "Waits for approval" not in body(owner.get(page))


def test_a_mistake_is_shown_at_its_place_and_nothing_typed_is_lost(world):
    wrong = {**RULE, "expression": "request.hour >= 8 &&\n  request.moon == 1"}
    answer = enter(world.ada).post("/console/access-rules/new", wrong)
    assert answer.status_code == 422
    assert "Line 2, column 10" in body(answer)
    assert "request.moon == 1" in body(answer)
    assert not AccessRule.objects.exists()


def test_drafts_go_on_trial_and_back_and_away(world):
    browser = enter(world.ada)
    browser.post("/console/access-rules/new", RULE)
    rule = AccessRule.objects.get()
    for action, state in (("trial", "trial"), ("draft", "draft")):
        browser.post(f"/console/access-rules/{rule.pk}/{action}")
        rule.refresh_from_db()
        assert rule.state == state
    browser.post(
        f"/console/access-rules/{rule.pk}/change", {**RULE, "why": "By day only."}
    )
    rule.refresh_from_db()
    assert rule.why == "By day only."
    answer = browser.post(f"/console/access-rules/{rule.pk}/delete")
    assert answer["Location"] == "/console/access-rules"
    assert not AccessRule.objects.exists()


def test_the_matrix_shows_every_permission_by_every_role(world):
    from dotmac.core.permissions import catalogue

    page = unescape(body(enter(world.ada).get("/console/role-matrix")))
    for role in Role.objects.all():
        assert role.name in page
    assert [m for m in catalogue().values() if m not in page] == []


def test_an_own_role_is_made_changed_given_taken_and_deleted(world):
    browser = enter(world.ada)
    browser.post(
        "/console/roles/new", {"name": "Night", "permissions": ["ops.view_job"]}
    )
    role = Role.objects.get(slug="night")
    page = f"/console/roles/{role.pk}"
    assert "Everybody who holds the role" in body(browser.get(f"{page}/change"))
    browser.post(
        f"{page}/change", {"name": "Nights", "permissions": ["ops.view_message"]}
    )
    assert "ops.view_message" in body(browser.get(page))

    staff = f"/console/staff/{world.sola.id}"
    unit = world.operator.pk
    browser.post(f"{staff}/give-role", {"role_slug": "night", "unit_id": unit})
    assert "Nights" in body(browser.get(staff))
    assert "sola" in body(browser.get(f"{page}?tab=people"))
    refused = browser.post(f"{page}/delete", follow=True)
    assert "Somebody holds this role" in body(refused)
    browser.post(f"{staff}/take-role", {"held": f"night/{unit}"})
    assert not RoleAssignment.objects.filter(role=role).exists()
    browser.post(f"{page}/delete")
    assert not Role.objects.filter(pk=role.pk).exists()


def test_single_things_are_granted_and_taken_back(world):
    browser, customer = enter(world.ada), world.dayo.customer
    staff = f"/console/staff/{world.remi.id}"
    what = {"permission": "identity.view_customer", "customer": customer.reference}
    browser.post(f"{staff}/grant", what)
    assert world.remi.actor.scope("identity.view_customer").named_customers() == {
        customer.pk
    }
    rights = body(browser.get(f"{staff}?tab=rights"))
    assert customer.name in rights
    browser.post(f"{staff}/revoke", what)
    assert not world.remi.actor.scope("identity.view_customer").named_customers()

    where = {"permission": "identity.view_customer", "unit_id": world.operator.pk}
    browser.post(f"{staff}/grant", where)
    assert world.remi.actor.scope("identity.view_customer").everything
    browser.post(f"{staff}/revoke", where)
    assert not world.remi.actor.scope("identity.view_customer").everything
    for wrong in ({**what, **where}, {"permission": "identity.view_customer"},
                  {**what, "customer": "C-999999"}):  # fmt: skip
        assert browser.post(f"{staff}/grant", wrong).status_code == 422


def test_who_can_see_this_and_why(world):
    browser, esi = enter(world.ada), world.esi.customer
    assert world.remi
    identity.create_rule(
        name="Seen by day", why="x", effect="require",
        permissions=["identity.view_*"], expression="request.hour < 20",
        actor=SYSTEM, now=world.now,
    )  # fmt: skip
    AccessRule.objects.update(state="trial")
    query = f"permission=identity.view_customer&customer={esi.reference}"
    page = body(browser.get(f"/console/access?{query}"))
    for words in ("remi", "role: Support", "Kano Reseller", "acts for the customer",
                  "Seen by day"):  # fmt: skip
        assert words in page
    assert "There is no such customer" in body(
        browser.get("/console/access?permission=identity.view_customer&customer=C-9")
    )
    assert "Show who and why" in body(browser.get("/console/access?permission=x"))
    tab = body(browser.get(f"/console/customers/{esi.pk}?tab=access"))
    assert "role: Support" in tab


def test_what_can_this_person_do(world):
    browser = enter(world.ada)
    assert world.remi
    page = body(browser.get("/console/access-of?user=Remi"))
    assert "Register customers." in page
    assert "It is about the whole operator" in page
    assert world.esi.customer.name in body(browser.get("/console/access-of?user=esi"))
    assert "nobody like that" in body(browser.get("/console/access-of?user=zzz"))
    assert "Show what and whence" in body(browser.get("/console/access-of"))


def test_a_decision_is_explained(world):
    from apps.identity.models import AccessDecision

    enter(world.sola).get("/console/audit")
    browser = enter(world.ada)
    row = AccessDecision.objects.get(permission="ops.view_audit", granted=False)
    assert "sola" in body(browser.get("/console/decisions?granted=false"))
    page = body(browser.get(f"/console/decisions/{row.pk}"))
    assert "The permission was not held." in page
    assert "127.0.0.1" in page

    rule = identity.create_rule(
        name="Shut", why="x", effect="deny", permissions=["ops.view_job"],
        expression="true", actor=SYSTEM, now=world.now,
    )  # fmt: skip
    made = row
    for facts in (
        {"granted": False, "rule": rule.slug},
        {"granted": False, "rule": "step_up"},
        {"granted": True, "amount_minor": 500, "currency": "NGN"},
    ):
        made = AccessDecision.objects.create(
            at=world.now, actor_kind="staff", actor_label="x", permission="ops.view_job",
            facts={"actor.roles": ["owner"]}, **facts,
        )  # fmt: skip
        assert browser.get(f"/console/decisions/{made.pk}").status_code == 200
    assert "The rule Shut as it stands today" in body(
        browser.get(f"/console/decisions/{made.pk - 2}")
    )


def test_the_api_of_roles_and_rules(world):
    api, manager = world.api(world.ada), world.api(world.mina)
    role = api.post("/api/v1/roles", {"name": "Night", "permissions": []}).json()
    assert (role["slug"], role["built_in"]) == ("night", False)
    path = f"/api/v1/roles/{role['id']}"
    changed = api.patch(path, {"permissions": ["ops.view_job"]}).json()
    assert changed["permissions"] == ["ops.view_job"]
    owner = Role.objects.get(slug="owner").pk
    refused = api.patch(f"/api/v1/roles/{owner}", {"name": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "built_in_role")
    assert api.delete(path).status_code == 204

    text = {**RULE, "permissions": ["network.place_hold"]}
    wrong = api.post("/api/v1/access-rules", {**text, "expression": "moon"}).json()
    assert (wrong["code"], wrong["line"], wrong["column"]) == (
        "expression_refused", 1, 1,
    )  # fmt: skip
    rule = api.post("/api/v1/access-rules", text).json()
    path = f"/api/v1/access-rules/{rule['id']}"
    assert api.patch(path, {**text, "why": "By day."}).json()["why"] == "By day."
    assert api.post(f"{path}/state", {"state": "trial"}).json()["state"] == "trial"
    assert api.post(f"{path}/try").json()["refused"] == 0
    step = api.post(f"{path}/ask", {"step": "switch_on"}).json()["id"]
    own = api.post(f"{path}/approve", {"step": step})
    assert (own.status_code, own.json()["code"]) == (403, "same_person")
    done = manager.post(f"{path}/approve", {"step": step}).json()
    assert (done["outcome"], done["alone"]) == ("approved", False)
    assert api.get(path).json()["state"] == "on"
    assert api.delete(path).status_code == 409
    step = api.post(f"{path}/ask", {"step": "change", "text": text}).json()["id"]
    assert manager.post(f"{path}/decline", {"step": step}).status_code == 200
    step = api.post(f"{path}/ask", {"step": "switch_off"}).json()["id"]
    left = api.post(f"{path}/withdraw", {"step": step}).json()
    assert (left["outcome"], api.get(path).json()["state"]) == ("declined", "on")
    assert [row["slug"] for row in api.get("/api/v1/access-rules").json()["results"]]


def test_a_dangerous_step_needs_a_fresh_code(world):
    from datetime import timedelta

    from django.utils import timezone

    from apps.identity.models import Session

    browser = enter(world.ada)
    Session.objects.filter(user=world.ada.user).update(
        mfa_at=timezone.now() - timedelta(minutes=11)
    )
    assert browser.get("/console/access-rules").status_code == 200
    answer = browser.post("/console/access-rules/new", RULE)
    assert answer.status_code == 422  # the question, with all that was typed
    assert RULE["expression"].split()[0] in body(answer)
    assert not AccessRule.objects.exists()
