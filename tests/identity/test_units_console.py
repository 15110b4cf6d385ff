"""Organisation units on the console: listed, made, and only within reach."""

import pytest

from apps.identity import operations as identity
from apps.identity.models import OrganisationUnit
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def body(answer):
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_branch_is_made_listed_and_given_people(world):
    owner, top = enter(world.ada), world.operator
    typed = {"name": "Kano", "kind": "branch", "parent_id": top.pk}
    answer = owner.post("/console/units/new", typed)
    kano = OrganisationUnit.objects.get(name="Kano")
    assert answer["Location"] == f"/console/units/{kano.pk}"
    assert (kano.kind, kano.parent_id) == ("branch", top.pk)

    identity.assign_role(
        user_id=world.sola.id, role_slug="auditor", unit_id=kano.pk, actor=SYSTEM,
        now=NOON,
    )  # fmt: skip
    assert "Kano" in body(owner.get("/console/units"))
    assert "Kano" in body(owner.get(f"/console/units/{top.pk}"))
    people = body(owner.get(f"/console/units/{kano.pk}?tab=people"))
    assert "sola" in people
    assert "Auditor" in people
    below = owner.get(f"/console/units/new?parent_id={kano.pk}")
    assert f'value="{kano.pk}" selected' in body(below)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "operator"}, "Select a valid choice"),
        ({"parent_id": 2**40}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
        ({"name": "Kano Reseller"}, "There is a unit of this name here."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(world, changes, says):
    assert world.reseller
    typed = {"name": "Kano", "kind": "branch", "parent_id": world.operator.pk}
    answer = enter(world.ada).post("/console/units/new", {**typed, **changes})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert OrganisationUnit.objects.count() == 2


@pytest.mark.security
def test_a_manager_of_a_part_makes_and_sees_units_there_alone(world):
    rita = world.hire("rita", "Rita", "manager", unit_id=world.reseller.pk)
    east = identity.create_unit(
        name="East", kind="branch", parent_id=world.operator.pk, actor=SYSTEM, now=NOON
    )
    identity.assign_role(
        user_id=world.sola.id, role_slug="auditor", unit_id=world.reseller.pk,
        actor=SYSTEM, now=NOON,
    )  # fmt: skip
    browser = enter(rita)
    listed = body(browser.get("/console/units"))
    assert "Kano Reseller" in listed
    assert "East" not in listed
    for foreign in (east, world.operator):
        assert browser.get(f"/console/units/{foreign.pk}").status_code == 404
        typed = {"name": "Mine", "kind": "branch", "parent_id": foreign.pk}
        assert browser.post("/console/units/new", typed).status_code == 422
    typed = {"name": "Mine", "kind": "reseller", "parent_id": world.reseller.pk}
    assert browser.post("/console/units/new", typed).status_code == 302
    mine = OrganisationUnit.objects.get(name="Mine")
    assert mine.parent_id == world.reseller.pk
    people = body(browser.get(f"/console/units/{world.reseller.pk}?tab=people"))
    assert "rita" in people
    assert enter(world.bisi).get("/console/units").status_code == 403
