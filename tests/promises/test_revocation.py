"""What was taken away is gone on the next request."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.models import Membership, Session
from tests.sessions import enter
from tests.world import SYSTEM

pytestmark = [pytest.mark.security, pytest.mark.django_db]
LIST = "/api/v1/customers"


def statuses(client, *paths):
    return [client.get(path).status_code for path in paths]


def test_a_role_that_was_taken(world):
    api, console = world.api(world.sola), enter(world.sola)
    assert statuses(api, LIST) == statuses(console, "/console/customers") == [200]
    identity.unassign_role(
        user_id=world.sola.id, role_slug="support", unit_id=world.operator.pk,
        actor=SYSTEM, now=world.now,
    )  # fmt: skip
    assert statuses(api, LIST) == statuses(console, "/console/customers") == [403]


def test_a_permission_that_left_the_role(world):
    role = identity.create_role(
        name="Helpers", permissions=["identity.view_customer"], actor=SYSTEM,
        now=world.now,
    )  # fmt: skip
    person = world.hire("zed", "Zed", role.slug)
    api = world.api(person)
    assert statuses(api, LIST) == [200]
    identity.change_role(role_id=role.pk, permissions=[], actor=SYSTEM, now=world.now)
    assert statuses(api, LIST) == [403]


@pytest.mark.parametrize("kind", ["customer", "unit"])
def test_a_grant_that_was_taken_back(world, kind):
    customer = world.dayo.customer
    grant = {"user_id": world.remi.id, "permission": "identity.view_customer",
             "actor": SYSTEM, "now": world.now}  # fmt: skip
    grant |= (
        {"customer_id": customer.pk} if kind == "customer"
        else {"unit_id": world.operator.pk}
    )  # fmt: skip
    api = world.api(world.remi)
    path = f"{LIST}/{customer.pk}"
    getattr(identity, f"grant_on_{kind}")(**grant)
    assert statuses(api, path) == [200]
    getattr(identity, f"revoke_on_{kind}")(**grant)
    assert statuses(api, path) == [404]


def test_a_rule_that_was_switched_on_and_off(world):
    assert world.ada
    rule = identity.create_rule(
        name="Shut", why="Shut.", effect="deny", permissions=["identity.view_customer"],
        expression="true", actor=SYSTEM, now=world.now,
    )  # fmt: skip
    api = world.api(world.sola)
    for step, status in (("switch_on", 403), ("switch_off", 200)):
        asked = identity.ask_rule_step(
            rule_id=rule.pk, step=step, actor=SYSTEM, now=world.now
        )
        assert statuses(api, LIST) == [200 if status == 403 else 403]
        identity.approve_rule_step(step_id=asked.pk, actor=SYSTEM, now=world.now)
        assert statuses(api, LIST) == [status]


def test_a_user_who_was_switched_off(world):
    api, console = world.api(world.sola), enter(world.sola)
    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=world.now)
    assert statuses(api, LIST) == [401]
    assert statuses(console, "/console/customers") == [302]


def test_a_membership_that_ended(world):
    customer = world.chidi.customer
    api = world.api(world.chidi)
    phone = enter(world.chidi, face="portal", key="portal_sid")
    assert (
        statuses(api, f"{LIST}/{customer.pk}") == statuses(phone, "/portal/") == [200]
    )
    Membership.objects.filter(user=world.chidi.user).delete()
    assert statuses(api, LIST) == [403]
    # Still signed in, but for no account: a page that says so, and no loop.
    assert statuses(phone, "/portal/") == [403]


def test_a_session_that_ended(world):
    api = world.api(world.sola)
    Session.objects.filter(user=world.sola.user).update(
        ended_at=timezone.now() - timedelta(seconds=1), end_reason="revoked"
    )
    assert statuses(api, LIST) == [401]


def test_no_task_works_in_a_persons_name():
    """Tasks act as the platform; what a person begins was judged when begun."""
    import re

    from tests.environment import ROOT

    for path in ROOT.glob("apps/*/tasks*"):
        files = path.glob("*.py") if path.is_dir() else [path]
        for file in files:
            assert not re.search(r"actor_for_user|user_id", file.read_text()), file
