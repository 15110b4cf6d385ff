"""The page that runs the invariants, on data that somebody with the owner's rights bent."""

import html
import os

import psycopg
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.own_database]
BEND = "UPDATE identity_customer SET reference = 'C-999999' WHERE id = %s"


def test_running_the_checks_shows_the_rows_that_break_one(own_database, enter_console):
    from apps.ops.models import AuditEntry
    from tests.world import World

    world = World()
    chidi = world.chidi.customer
    browser = enter_console(world.ada)
    whole = browser.post("/console/integrity/run", follow=True)
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(BEND, [chidi.pk])
    bent = browser.post("/console/integrity/run", follow=True)

    assert "All statements hold." in whole.content.decode()
    shown = html.unescape(bent.content.decode())
    assert bent.redirect_chain == [("/console/integrity", 302)]
    assert "1 statement is broken." in shown
    assert "A customer's reference is made of its own number." in shown
    assert f'"id": {chidi.pk}' in shown
    assert '"reference": "C-999999"' in shown
    told = AuditEntry.objects.filter(action="ops.integrity.checked").order_by("pk")
    assert [entry.actor_label for entry in told] == ["ada", "ada"]
    assert told[0].changes["broken"] == []
    assert told[1].changes["broken"] == ["identity.reference_is_of_its_row"]
