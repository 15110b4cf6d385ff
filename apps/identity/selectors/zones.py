"""Whose clock: the time zone of a unit, and of the customers that belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from dotmac.core.db import fetch_dicts
from dotmac.core.zones import zone_named

# From each unit up to the first that names a zone; at the top it may be none.
_ZONES = """
    WITH RECURSIVE wanted (key, unit_id) AS (
        SELECT u, u FROM unnest(%(units)s::bigint[]) u
         UNION ALL
        SELECT c.id, c.unit_id FROM identity_customer c
         WHERE c.id = ANY(%(customers)s::bigint[])
    ), upwards (unit_id, id, parent_id, name, time_zone) AS (
        SELECT u.id, u.id, u.parent_id, u.name, u.time_zone
          FROM identity_organisationunit u
         WHERE u.id IN (SELECT w.unit_id FROM wanted w)
         UNION
        SELECT l.unit_id, u.id, u.parent_id, u.name, u.time_zone
          FROM upwards l JOIN identity_organisationunit u ON u.id = l.parent_id
         WHERE l.time_zone = ''
    )
    SELECT w.key, l.id AS source_id, l.name AS source, l.time_zone
      FROM wanted w JOIN upwards l ON l.unit_id = w.unit_id
     WHERE l.time_zone <> ''
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitZone:
    """The clock of a unit, and the unit that names it (None: the operator's setting)."""

    zone: ZoneInfo
    source_id: int | None = None
    source: str = ""


def zones_of_units(unit_ids: Iterable[int]) -> dict[int, UnitZone]:
    """The clock in force in each unit, in one statement however many."""
    ids = list(unit_ids)
    return _in_force(ids, units=ids)


def zones_of_customers(customer_ids: Iterable[int]) -> dict[int, ZoneInfo]:
    """The clock of each customer's unit, in one statement however many customers."""
    ids = list(customer_ids)
    return {key: found.zone for key, found in _in_force(ids, customers=ids).items()}


def zone_of_customer(customer_id: int) -> ZoneInfo:
    """The clock of the customer's unit."""
    return zones_of_customers([customer_id])[customer_id]


def _in_force(
    keys: list[int], *, units: Sequence[int] = (), customers: Sequence[int] = ()
) -> dict[int, UnitZone]:
    """By key; a name that this machine's database does not know counts as none.

    Another machine took it, with a newer database: the operator's clock stands in.
    """
    found = {key: UnitZone(zone=settings.OPERATOR_ZONE) for key in keys}
    if not keys:
        return found
    ids = {"units": list(units), "customers": list(customers)}
    for row in fetch_dicts(_ZONES, ids):
        if zone := zone_named(row["time_zone"]):
            found[row["key"]] = UnitZone(
                zone=zone, source_id=row["source_id"], source=row["source"]
            )
    return found
