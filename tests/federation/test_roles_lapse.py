"""What a group gave does not outlive the group's word, however somebody signs in."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.federation import operations
from apps.federation.models import Connection, GivenRole, GroupRole, LinkedPerson
from apps.federation.operations import withdrawal
from apps.federation.tasks import withdraw_roles
from apps.identity import operations as identity
from apps.identity.models import RoleAssignment, User
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput
from tests.federation.making import facts, map_group
from tests.federation.ways import come_in, roles_of
from tests.sessions import enter
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


@pytest.fixture
def office(world, provider, connect):
    """A connection by which Sola is a manager too, and came in just now."""
    assert world.sola
    row = connect(provider)
    map_group(row, "heads", "manager", world.operator.pk)
    provider.person["groups"] = ["heads"]
    assert come_in().status_code == 302
    assert roles_of(world.sola.id) == {"support", "manager"}
    return row


def switch_off(row):
    return operations.switch_connection(
        connection_id=row.pk, on=False, actor=SYSTEM, now=timezone.now()
    )


def unmap(row, **line):
    found = GroupRole.objects.get(connection=row, **line)
    operations.unmap_role(
        connection_id=row.pk, line_id=found.pk, actor=SYSTEM, now=timezone.now()
    )


def in_hours(hours):
    return operations.withdraw_lapsed(now=timezone.now() + timedelta(hours=hours))


def test_who_was_not_seen_for_a_day_keeps_what_a_colleague_gave(world, office):
    assert in_hours(23.9) == 0
    assert roles_of(world.sola.id) == {"support", "manager"}
    assert in_hours(24.1) == 1
    assert roles_of(world.sola.id) == {"support"}
    assert not GivenRole.objects.exists()
    assert in_hours(24.1) == 0
    entry = AuditEntry.objects.get(action="federation.withdraw_roles")
    assert entry.changes == {"roles_taken": ["sola manager"]}
    assert come_in().status_code == 302
    assert roles_of(world.sola.id) == {"support", "manager"}


def test_a_session_by_the_own_password_loses_the_role_on_its_next_request(
    world, office
):
    """Removed at the provider, where nobody tells us; in by password and code."""
    browser = enter(world.sola)
    page = "/console/staff"
    assert browser.get(page).status_code == 200
    LinkedPerson.objects.update(seen_at=timezone.now() - timedelta(hours=25))
    assert withdraw_roles() == 1
    assert browser.get(page).status_code in {403, 404}
    assert browser.get("/console/").status_code == 200


def test_the_connection_says_how_long(world, office):
    Connection.objects.update(role_hours=2)
    assert in_hours(1.9) == 0
    assert in_hours(2.1) == 1


def test_each_sign_in_through_it_begins_the_time_anew(world, office):
    LinkedPerson.objects.update(seen_at=timezone.now() - timedelta(hours=23))
    assert come_in().status_code == 302
    assert in_hours(23) == 0
    assert roles_of(world.sola.id) == {"support", "manager"}


def test_switching_it_off_takes_roles_on_the_next_request(world, office):
    browser = enter(world.sola)
    assert browser.get("/console/staff").status_code == 200
    switch_off(office)
    assert browser.get("/console/staff").status_code in {403, 404}
    assert roles_of(world.sola.id) == {"support"}


def test_a_change_that_switches_it_off_takes_them_too(world, office):
    changed = operations.change_connection(
        connection_id=office.pk, actor=SYSTEM, now=timezone.now(),
        facts=facts(issuer=office.issuer, client_id="another"),
    )  # fmt: skip
    assert not changed.is_active
    assert roles_of(world.sola.id) == {"support"}


def test_a_change_that_leaves_it_on_takes_nothing(world, office):
    operations.change_connection(
        connection_id=office.pk, actor=SYSTEM, now=timezone.now(),
        facts=facts(name="HQ", issuer=office.issuer, client_id=office.client_id),
    )  # fmt: skip
    assert roles_of(world.sola.id) == {"support", "manager"}


def test_a_mapping_that_ends_takes_its_role_on_the_next_request(world, office):
    browser = enter(world.sola)
    assert browser.get("/console/staff").status_code == 200
    unmap(office, group="heads")
    assert browser.get("/console/staff").status_code in {403, 404}
    assert roles_of(world.sola.id) == {"support"}


def test_another_line_that_gives_the_same_keeps_it(world, office, provider):
    map_group(office, "board", "manager", world.operator.pk)
    map_group(office, "strangers", "manager", world.operator.pk)
    provider.person["groups"] = ["heads", "board"]
    come_in()
    unmap(office, group="heads")
    assert roles_of(world.sola.id) == {"support", "manager"}
    unmap(office, group="board")
    # The line that is left is of a group that she is not in.
    assert roles_of(world.sola.id) == {"support"}


def test_a_line_of_another_unit_or_role_does_not_keep_it(world, office):
    map_group(office, "heads", "manager", world.reseller.pk)
    map_group(office, "heads", "auditor", world.operator.pk)
    unmap(office, group="heads", role__slug="manager", unit=world.operator)
    assert roles_of(world.sola.id) == {"support"}


def test_other_connections_and_hands_are_left_alone(world, office, provider):
    """By hand, and of somebody who came in by it a moment ago."""
    identity.assign_role(
        user_id=world.sola.id, role_slug="auditor", unit_id=world.operator.pk,
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert world.femi
    provider.person |= {"sub": "p-2", "email": "femi@demo-isp.example"}
    assert come_in().status_code == 302
    old = LinkedPerson.objects.filter(user=world.sola.user)
    old.update(seen_at=timezone.now() - timedelta(days=2))
    assert withdraw_roles() == 1
    assert roles_of(world.sola.id) == {"support", "auditor"}
    assert roles_of(world.femi.id) == {"auditor", "manager"}


@pytest.fixture
def founder(world, provider, connect):
    """The only owner, by a group: (connection, user)."""
    row = connect(provider, makes_accounts=True)
    map_group(row, "founders", "owner", world.operator.pk)
    map_group(row, "founders", "auditor", world.operator.pk)
    provider.person |= {"email": "new@demo-isp.example", "groups": ["founders"]}
    come_in()
    user = User.objects.get(email="new@demo-isp.example")
    assert roles_of(user.pk) == {"owner", "auditor"}
    return row, user


@pytest.mark.parametrize(
    "end",
    [
        lambda row: in_hours(25),
        switch_off,
        lambda row: [unmap(row, role__slug=slug) for slug in ("owner", "auditor")],
    ],
    ids=["time", "off", "unmapped"],
)
def test_the_last_owner_keeps_the_role_until_there_is_another(world, founder, end):
    row, user = founder
    end(row)
    assert roles_of(user.pk) == {"owner"}
    assert GivenRole.objects.count() == 1
    assert in_hours(25) == 0
    world.hire("kemi", "Kemi", "owner")
    assert in_hours(25) == 1
    assert roles_of(user.pk) == set()


def test_what_is_over_the_limit_goes_in_the_next_round(world, founder, monkeypatch):
    row, user = founder
    world.hire("kemi", "Kemi", "owner")
    monkeypatch.setattr(withdrawal, "WITHDRAW_MAX", 1)
    switch_off(row)
    assert len(roles_of(user.pk)) == 1
    assert in_hours(0) == 1
    assert roles_of(user.pk) == set()


def test_a_role_that_a_colleague_took_before_is_forgotten(world, office):
    RoleAssignment.objects.filter(user=world.sola.user, role__slug="manager").delete()
    switch_off(office)
    assert not GivenRole.objects.exists()
    assert roles_of(world.sola.id) == {"support"}


@pytest.mark.parametrize("hours", [0, -1, 721])
def test_the_time_has_an_end(world, office, hours):
    told = facts(issuer=office.issuer, client_id=office.client_id, role_hours=hours)
    with pytest.raises(InvalidInput) as refused:
        operations.change_connection(
            connection_id=office.pk, facts=told, actor=SYSTEM, now=timezone.now()
        )
    assert refused.value.field == "role_hours"
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.update(role_hours=hours)
