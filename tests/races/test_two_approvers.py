"""Two who approve the same wish at once: it is done once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.models import AccessRule, AccessRuleStep, User
from apps.ops.models import AuditEntry
from tests.world import NOON, SYSTEM, World

pytestmark = [pytest.mark.integration, pytest.mark.security]
APPROVERS = 8


def test_a_wish_is_carried_out_once(own_database, django_db_blocker):
    with django_db_blocker.unblock():
        world = World()
        assert [world.ada.username, world.mina.username] == ["ada", "mina"]
        rule = identity.create_rule(
            name="Race", why="x", effect="deny", permissions=["network.place_hold"],
            expression="true", actor=SYSTEM, now=NOON,
        )  # fmt: skip
        asked = identity.ask_rule_step(
            rule_id=rule.pk, step="switch_on", actor=world.ada.actor, now=NOON
        )
        barrier, mina = Barrier(APPROVERS), world.mina.id

        def approve(_number):
            try:
                actor = selectors.actor_for_user(User.objects.get(pk=mina))
                barrier.wait()
                return identity.approve_rule_step(
                    step_id=asked.pk, actor=actor, now=NOON
                ).outcome
            finally:
                connection.close()

        with ThreadPoolExecutor(APPROVERS) as pool:
            said = list(pool.map(approve, range(APPROVERS)))

        assert said == ["approved"] * APPROVERS
        assert AccessRule.objects.get().state == "on"
        assert AccessRuleStep.objects.get().decided_by_id == mina
        written = AuditEntry.objects.filter(action="identity.approve_rule_step")
        assert written.count() == 1
