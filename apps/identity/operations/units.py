"""Organisation units: made below one another, and their clocks."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.identity.enums import UnitKind
from apps.identity.errors import UnknownUnit, UnknownZone
from apps.identity.models import OrganisationUnit
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import Conflict, InvalidInput, NotFound
from dotmac.core.refs import SubjectRef
from dotmac.core.zones import zone_named


class UnitNameTaken(Conflict):
    code = "unit_name_taken"
    title = "There is a unit of this name here."


@transaction.atomic
def create_unit(
    *,
    name: str,
    kind: str,
    parent_id: int,
    actor: Actor,
    now: datetime,
    time_zone: str = "",
) -> OrganisationUnit:
    """A branch or a reseller below another unit.

    `time_zone` is a name of the IANA database; blank: that of the unit above.
    Raises UnknownZone, UnknownUnit, UnitNameTaken.
    """
    if kind not in {UnitKind.BRANCH, UnitKind.RESELLER}:
        raise InvalidInput("A unit is a branch or a reseller.", field="kind")
    if not OrganisationUnit.objects.filter(pk=parent_id).exists():
        raise UnknownUnit(field="parent")
    _require_zone(time_zone)

    with refusing(
        identity_organisationunit_name_once=lambda: UnitNameTaken(field="name")
    ):
        unit = OrganisationUnit.objects.create(
            name=name, kind=kind, parent_id=parent_id, time_zone=time_zone
        )
    ops.record(
        action="identity.create_unit",
        subject=SubjectRef("identity", "unit", unit.pk, name),
        actor=actor,
        now=now,
        changes={"time_zone": time_zone} if time_zone else None,
        unit_id=unit.pk,
    )
    return unit


@transaction.atomic
def change_unit(
    *, unit_id: int, time_zone: str, actor: Actor, now: datetime
) -> OrganisationUnit:
    """Give a unit, and those below without one of their own, another clock.

    Days, weeks and months of usage are cut by it from then on, past ones as well;
    no octet moves. Blank: that of the unit above, at the top the operator's. The
    same changes nothing and is not recorded. Raises UnknownZone.
    """
    _require_zone(time_zone)
    held = OrganisationUnit.objects.select_for_update(no_key=True).filter(pk=unit_id)
    unit = held.first()
    if unit is None:
        raise NotFound
    if unit.time_zone == time_zone:
        return unit

    before, unit.time_zone = unit.time_zone, time_zone
    unit.store("time_zone", now=now)
    ops.record(
        action="identity.change_unit",
        subject=SubjectRef("identity", "unit", unit.pk, unit.name),
        actor=actor,
        now=now,
        changes={"time_zone": [before, time_zone]},
        unit_id=unit.pk,
    )
    return unit


def _require_zone(name: str) -> None:
    if name and zone_named(name) is None:
        raise UnknownZone(field="time_zone")
