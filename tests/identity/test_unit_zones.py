"""The clock of a unit: its own, that of a unit above, or the operator's."""

from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import UnknownUnit, UnknownZone
from apps.identity.models import OrganisationUnit
from apps.ops.models import AuditEntry
from dotmac.core.errors import NotFound
from dotmac.core.zones import NAME_MAX, zone_named, zone_names
from tests.sessions import enter
from tests.world import NOON, SYSTEM

ACCRA, BERLIN = ZoneInfo("Africa/Accra"), ZoneInfo("Europe/Berlin")
NO_ZONES = (
    "Mars/Olympus", "africa/lagos", "../etc/passwd", "/etc/localtime", "localtime",
    "Factory", "Africa", "+01:00", "Africa/Lagos ", "\x00",
)  # fmt: skip


@pytest.mark.unit
def test_a_zone_has_exactly_the_name_of_the_database():
    assert zone_named("Africa/Lagos") == ZoneInfo("Africa/Lagos")
    assert zone_named("UTC") == ZoneInfo("UTC")
    assert [zone_named(name) for name in ("", *NO_ZONES)] == [None] * 11
    assert max(map(len, zone_names())) <= NAME_MAX
    assert OrganisationUnit._meta.get_field("time_zone").max_length == NAME_MAX


def below(unit, name, **more):
    return identity.create_unit(
        name=name, kind="branch", parent_id=unit.pk, actor=SYSTEM, now=NOON, **more
    )


def setting(unit, zone, actor=SYSTEM):
    return identity.change_unit(unit_id=unit.pk, time_zone=zone, actor=actor, now=NOON)


def audited(unit):
    rows = AuditEntry.objects.filter(subject_kind="unit", subject_id=unit.pk)
    return [
        (row.action, row.changes, row.unit_id)
        for row in rows.exclude(action="identity.sync_roles").order_by("pk")
    ]


@pytest.mark.django_db
class TestInForce:
    def test_the_nearest_unit_that_names_one_says_it(self, world):
        accra = below(world.operator, "Ghana", time_zone="Africa/Accra")
        tema = below(accra, "Tema")
        quay = below(tema, "Quay", time_zone="Europe/Berlin")
        plain = below(world.operator, "Kano")
        units = [world.operator, accra, tema, quay, plain]

        def in_force():
            found = selectors.zones_of_units([unit.pk for unit in units])
            return [(found[unit.pk].zone, found[unit.pk].source) for unit in units]

        lagos = (settings.OPERATOR_ZONE, "")
        assert in_force() == [
            lagos, (ACCRA, "Ghana"), (ACCRA, "Ghana"), (BERLIN, "Quay"), lagos,
        ]  # fmt: skip
        setting(world.operator, "Europe/Berlin")
        top = (BERLIN, world.operator.name)
        assert in_force() == [
            top, (ACCRA, "Ghana"), (ACCRA, "Ghana"), (BERLIN, "Quay"), top,
        ]  # fmt: skip
        setting(accra, "")
        assert in_force()[1:3] == [top, top]

    def test_a_customer_has_that_of_its_unit_in_one_statement(
        self, world, django_assert_num_queries
    ):
        setting(world.reseller, "Africa/Accra")
        chidi, esi = world.chidi.customer.pk, world.esi.customer.pk

        with django_assert_num_queries(1):
            found = selectors.zones_of_customers([chidi, esi, 2**40])

        assert found == {
            chidi: settings.OPERATOR_ZONE, esi: ACCRA, 2**40: settings.OPERATOR_ZONE,
        }  # fmt: skip
        assert selectors.zone_of_customer(esi) == ACCRA
        with django_assert_num_queries(0):
            assert selectors.zones_of_customers([]) == {}

    def test_a_name_that_this_machine_does_not_know_is_none(self, world):
        """Taken on another machine, whose database of zones is newer."""
        OrganisationUnit.objects.filter(pk=world.reseller.pk).update(
            time_zone="America/Newtown"
        )
        esi = world.esi.customer.pk

        assert selectors.zone_of_customer(esi) == settings.OPERATOR_ZONE
        found = selectors.zones_of_units([world.reseller.pk])[world.reseller.pk]
        assert (found.zone, found.source_id) == (settings.OPERATOR_ZONE, None)


@pytest.mark.django_db
class TestChange:
    def test_is_recorded_once_and_repeating_changes_nothing(self, world):
        unit = below(world.operator, "Ghana")
        for _again in range(2):
            assert setting(unit, "Africa/Accra", world.ada.actor).pk == unit.pk
        setting(unit, "")

        assert OrganisationUnit.objects.get(pk=unit.pk).time_zone == ""
        assert audited(unit) == [
            ("identity.create_unit", {}, unit.pk),
            ("identity.change_unit", {"time_zone": ["", "Africa/Accra"]}, unit.pk),
            ("identity.change_unit", {"time_zone": ["Africa/Accra", ""]}, unit.pk),
        ]

    @pytest.mark.parametrize("name", NO_ZONES)
    def test_what_is_no_zone_is_refused_and_nothing_happened(self, world, name):
        before = OrganisationUnit.objects.count()
        with pytest.raises(UnknownZone):
            setting(world.operator, name)
        with pytest.raises(UnknownZone):
            below(world.operator, "Ghana", time_zone=name)

        assert OrganisationUnit.objects.count() == before
        assert audited(world.operator) == []

    def test_a_unit_that_is_not_there(self, world):
        with pytest.raises(NotFound):
            identity.change_unit(unit_id=2**40, time_zone="", actor=SYSTEM, now=NOON)
        with pytest.raises(UnknownUnit):
            identity.create_unit(
                name="x", kind="branch", parent_id=2**40, time_zone="UTC",
                actor=SYSTEM, now=NOON,
            )  # fmt: skip


@pytest.mark.django_db
class TestApi:
    URL = "/api/v1/units"

    def test_is_made_changed_and_shown(self, world):
        api = world.api(world.ada)
        made = api.post(
            self.URL,
            {"name": "Ghana", "kind": "branch", "parent": world.operator.pk,
             "time_zone": "Africa/Accra"},
        )  # fmt: skip
        assert made.status_code == 201, made.content
        one = f"{self.URL}/{made.json()['id']}"

        assert (made.json()["time_zone"], made.json()["zone"]) == ("Africa/Accra",) * 2
        changed = api.patch(one, {"time_zone": ""})
        assert changed.status_code == 200, changed.content
        assert (changed.json()["time_zone"], changed.json()["zone"]) == (
            "", settings.OPERATOR_TIME_ZONE,
        )  # fmt: skip
        assert api.get(one).json() == changed.json()
        assert changed.json() in api.get(self.URL).json()["results"]

    @pytest.mark.parametrize("body", [{}, {"time_zone": None}, {"time_zone": "x" * 65}])
    def test_a_body_that_makes_no_sense_names_its_field(self, world, body):
        answer = world.api(world.ada).patch(f"{self.URL}/{world.reseller.pk}", body)
        assert answer.status_code == 400
        assert [e["field"] for e in answer.json()["errors"]] == ["time_zone"]

    def test_an_unknown_zone_is_a_problem_of_its_own(self, world):
        answer = world.api(world.ada).patch(
            f"{self.URL}/{world.reseller.pk}", {"time_zone": "Mars/Olympus"}
        )
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "unknown_time_zone")
        assert [e["field"] for e in body["errors"]] == ["time_zone"]

    @pytest.mark.security
    def test_only_within_reach(self, world):
        rita = world.hire("rita", "Rita", "manager", unit_id=world.reseller.pk)
        body = {"time_zone": "Africa/Accra"}

        mine = world.api(rita).patch(f"{self.URL}/{world.reseller.pk}", body)
        top = world.api(rita).patch(f"{self.URL}/{world.operator.pk}", body)
        others = world.api(world.sola).patch(f"{self.URL}/{world.reseller.pk}", body)

        assert (mine.status_code, top.status_code, others.status_code) == (
            200, 404, 403,
        )  # fmt: skip
        assert OrganisationUnit.objects.get(pk=world.operator.pk).time_zone == ""

    def test_the_clocks_of_a_page_are_one_statement(self, world):
        api = world.api(world.ada)

        def asked():
            with CaptureQueriesContext(connection) as found:
                listed = api.get(self.URL).json()["results"]
            return len(found), len(listed)

        asked()
        before, two = asked()
        for name in ("A", "B", "C"):
            below(world.operator, name, time_zone="UTC")
        assert asked() == (before, two + 3)


@pytest.mark.django_db
class TestConsole:
    def test_shows_the_zone_in_force_and_whence(self, world):
        ghana = below(world.operator, "Ghana", time_zone="Africa/Accra")
        tema = below(ghana, "Tema")
        desk = enter(world.ada)

        def page(unit):
            return desk.get(f"/console/units/{unit.pk}").content.decode()

        assert settings.OPERATOR_TIME_ZONE in page(world.operator)
        assert "The setting OPERATOR_TIME_ZONE says so." in page(world.operator)
        assert "Its own." in page(ghana)
        assert "Africa/Accra" in page(tema)
        assert "That of Ghana, above." in page(tema)

    def test_is_chosen_for_a_new_unit_and_for_one_that_is_there(self, world):
        desk = enter(world.ada)
        typed = {"name": "Kano", "kind": "branch", "parent_id": world.operator.pk}
        desk.post("/console/units/new", {**typed, "time_zone": "Africa/Accra"})
        kano = OrganisationUnit.objects.get(name="Kano")
        assert kano.time_zone == "Africa/Accra"

        address = f"/console/units/{kano.pk}/zone"
        form = desk.get(address).content.decode()
        assert '<option value="Africa/Accra" selected>' in form
        assert '<optgroup label="Africa">' in form
        assert "That of the unit above" in form
        desk.post(address, {"time_zone": "Asia/Kolkata"})
        kano.refresh_from_db()
        assert kano.time_zone == "Asia/Kolkata"
        top = desk.get(f"/console/units/{world.operator.pk}/zone").content.decode()
        assert "That of the setting OPERATOR_TIME_ZONE" in top

    def test_what_is_no_zone_is_refused_beside_its_field(self, world):
        address = f"/console/units/{world.reseller.pk}/zone"
        answer = enter(world.ada).post(address, {"time_zone": "Mars/Olympus"})

        assert answer.status_code == 422
        assert "Select a valid choice" in answer.content.decode()
        world.reseller.refresh_from_db()
        assert world.reseller.time_zone == ""

    def test_an_old_name_stays_choosable(self, world):
        setting(world.reseller, "Hongkong")
        address = f"/console/units/{world.reseller.pk}/zone"
        form = enter(world.ada).get(address).content.decode()
        assert '<option value="Hongkong" selected>' in form
