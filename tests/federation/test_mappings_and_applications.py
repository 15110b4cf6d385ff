"""Groups that give roles, people who are unlinked, registered applications."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.federation import operations
from apps.federation.errors import (
    AddressRefused,
    ApplicationTaken,
    GroupMapped,
)
from apps.federation.models import Application, GivenRole, LinkedPerson
from apps.federation.operations import applications, mappings
from apps.identity import operations as identity
from apps.identity.errors import (
    BeyondOwnRights,
    LastOwner,
    UnknownRole,
    UnknownUnit,
)
from dotmac.core.errors import InvalidInput, NotFound
from tests.federation.making import (
    RETURN,
    facts,
    make_application,
    make_connection,
    map_group,
)
from tests.federation.ways import come_in, roles_of
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
NOW = timezone.now()


def check(row):
    return operations.check_connection(
        connection_id=row.pk, actor=SYSTEM, now=timezone.now()
    )


def switch(row, *, on=True, actor=SYSTEM):
    return operations.switch_connection(
        connection_id=row.pk, on=on, actor=actor, now=timezone.now()
    )


def change(row, actor=SYSTEM, **values):
    now = {
        "issuer": row.issuer, "client_id": row.client_id, "domains": row.domains,
        "metadata": row.metadata_url,
    }  # fmt: skip
    return operations.change_connection(
        connection_id=row.pk, facts=facts(**{**now, **values}), actor=actor,
        now=timezone.now(),
    )  # fmt: skip


def test_a_line_is_drawn_once_and_within_reach(world, monkeypatch):
    row = make_connection()
    top = world.operator.pk
    map_group(row, " noc ", "network-engineer", top)
    with pytest.raises(GroupMapped):
        map_group(row, "noc", "network-engineer", top)
    for group, role, unit, refusal in (
        ("", "support", top, InvalidInput),
        ("g" * 256, "support", top, InvalidInput),
        ("g", "king", top, UnknownRole),
        ("g", "support", 999_999, UnknownUnit),
    ):
        with pytest.raises(refusal):
            map_group(row, group, role, unit)
    monkeypatch.setattr(mappings, "MAPPINGS_MAX", 1)
    with pytest.raises(InvalidInput):
        map_group(row, "g", "support", top)


def test_nobody_maps_what_he_does_not_hold(world):
    row = make_connection()
    role = identity.create_role(
        name="Roles only", actor=SYSTEM, now=NOW,
        permissions=["identity.manage_roles", "federation.map_role"],
    )  # fmt: skip
    world.hire("kemi", "Kemi", role.slug)
    actor = world.hire("tola", "Tola", role.slug).actor
    line = {
        "connection_id": row.pk, "group": "g", "unit_id": world.operator.pk,
        "actor": actor, "now": NOW,
    }  # fmt: skip
    with pytest.raises(BeyondOwnRights) as refused:
        operations.map_role(**line, role_slug="owner")
    assert refused.value.field == "role_slug"
    assert operations.map_role(**line, role_slug=role.slug).group == "g"


def test_a_line_that_is_taken_away_is_gone(world):
    row = make_connection()
    line = map_group(row, "noc", "auditor", world.operator.pk)
    taken = {
        "connection_id": row.pk, "line_id": line.pk, "actor": SYSTEM, "now": NOW,
    }  # fmt: skip
    operations.unmap_role(**taken)
    with pytest.raises(NotFound):
        operations.unmap_role(**taken)


def test_who_is_unlinked_keeps_the_account_and_loses_what_groups_gave(
    world, provider, connect
):
    row = connect(provider)
    map_group(row, "everybody", "auditor", world.operator.pk)
    assert world.sola
    come_in()
    person = LinkedPerson.objects.get()
    gone = {
        "connection_id": row.pk, "person_id": person.pk, "actor": SYSTEM, "now": NOW,
    }  # fmt: skip
    operations.unlink_person(**gone)
    assert roles_of(world.sola.id) == {"support"}
    assert not GivenRole.objects.exists()
    with pytest.raises(NotFound):
        operations.unlink_person(**gone)


def test_the_last_owner_is_not_unlinked(world, provider, connect):
    row = connect(provider, makes_accounts=True)
    map_group(row, "everybody", "owner", world.operator.pk)
    provider.person["email"] = "new@demo-isp.example"
    come_in()
    person = LinkedPerson.objects.get()
    with pytest.raises(LastOwner):
        operations.unlink_person(
            connection_id=row.pk, person_id=person.pk, actor=SYSTEM, now=NOW
        )
    assert LinkedPerson.objects.exists()


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"name": " "}, InvalidInput, "name"),
        ({"name": "x" * 81}, InvalidInput, "name"),
        ({"return_addresses": []}, InvalidInput, "return_addresses"),
        ({"return_addresses": [RETURN + str(n) for n in range(11)]}, InvalidInput,
         "return_addresses"),
        ({"return_addresses": ["http://x.example"]}, AddressRefused,
         "return_addresses"),
        ({"return_addresses": [RETURN + "#x"]}, AddressRefused, "return_addresses"),
        ({"return_addresses": ["myapp://x"]}, AddressRefused, "return_addresses"),
        ({"leave_addresses": ["javascript:x"]}, AddressRefused, "leave_addresses"),
    ],
)  # fmt: skip
def test_an_application_that_is_malformed_is_refused(world, values, refusal, field):
    with pytest.raises(refusal) as refused:
        make_application(**values)
    assert refused.value.field == field
    assert not Application.objects.exists()


def test_an_applications_name_is_taken_once_and_there_is_an_end(world, monkeypatch):
    made = make_application()
    with pytest.raises(ApplicationTaken), transaction.atomic():
        make_application()
    other = make_application(name="Other")
    told = {
        "application_id": other.row.pk, "return_addresses": [RETURN],
        "actor": SYSTEM, "now": NOW,
    }  # fmt: skip
    with pytest.raises(ApplicationTaken), transaction.atomic():
        operations.change_application(name=made.row.name, **told)
    assert operations.change_application(name="Third", **told).name == "Third"
    monkeypatch.setattr(applications, "APPLICATIONS_MAX", 2)
    with pytest.raises(InvalidInput):
        make_application(name="Fourth")


def test_an_application_is_switched_off_and_on(world):
    row = make_application().row
    off = {"application_id": row.pk, "on": False, "actor": SYSTEM, "now": NOW}
    assert not operations.switch_application(**off).is_active
    assert not operations.switch_application(**off).is_active
    assert operations.switch_application(**{**off, "on": True}).is_active


def test_a_public_application_has_no_secret_to_renew(world):
    row = make_application(is_public=True).row
    with pytest.raises(InvalidInput):
        operations.renew_application_secret(
            application_id=row.pk, actor=SYSTEM, now=NOW
        )
    halves: list[dict[str, Any]] = [{"is_public": False}, {"return_addresses": []}]
    for columns in halves:
        with pytest.raises(IntegrityError), transaction.atomic():
            Application.objects.filter(pk=row.pk).update(**columns)
