"""Large data for measurements: customers with active services, written by COPY.

What the operations would have left behind stands in the same rows, so every
constraint and invariant holds; only events, audit rows and jobs are not made.
Never part of a demonstration.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from dotmac.core.models import keyring
from dotmac.devtools.demo.words import AREAS, FAMILY, GIVEN, STREETS

CHUNK = 5_000
CUSTOMERS_MAX = 2_000_000
ADDRESS_BLOCK = "10.0.0.0/8"
# The same for all, for load tools.
_PASSWORD = "generated-password"  # noqa: S105  # nosec B105
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Base:
    """Rows that exist already and that everything refers to."""

    unit_id: int
    currency: str
    plans: Sequence[tuple[int, int]]  # plan, rate profile
    pool_id: int
    prefix_id: int
    vrf_id: int


def generate(
    *, base: Base, count: int, services: bool, now: datetime, tell: Tell
) -> int:
    """Add customers, each with an active service unless told otherwise.

    Addresses continue after the highest one given from the block. Returns how
    many customers were written; chunks that were committed stay when it stops.
    """
    done = 0
    while done < count:
        size = min(CHUNK, count - done)
        with transaction.atomic():
            _chunk(base, size, services=services, now=now)
        done += size
        tell(done, count)
    return done


def _chunk(base: Base, size: int, *, services: bool, now: datetime) -> None:
    ids = _reserve("identity_customer", size)
    dice = random.Random(ids[0])  # nosec B311
    joined = now - timedelta(days=120)
    _copy(
        "identity_customer",
        "id reference kind name email phone state currency address city region"
        " postal_code country tax_number source custom duplicate_confirmed activated_at"
        " unit_id",
        (_customer(base, number, joined, dice) for number in ids),
    )
    if services:
        _services(base, ids, joined, dice)


def _customer(
    base: Base, number: int, joined: datetime, dice: random.Random
) -> tuple[Any, ...]:
    given, family = dice.choice(GIVEN), dice.choice(FAMILY)
    return (
        number, f"C-{number:06d}", "individual", f"{given} {family}",
        f"g{number}@generated.example", f"+23490{number:08d}", "active", base.currency,
        f"{dice.randint(1, 180)} {dice.choice(STREETS)}", dice.choice(AREAS).name,
        "Lagos", "", "NG", "", "", "{}", False, joined, base.unit_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    """The ids of all rows of one customer's service."""

    customer: int
    order: int
    item: int
    service: int
    period: int
    account: int
    holding: int
    plan: int
    profile: int
    address: str


_TABLES = (
    "catalog_order",
    "catalog_orderitem",
    "catalog_service",
    "catalog_serviceplanperiod",
    "network_accessaccount",
    "network_addressassignment",
)


def _services(
    base: Base, customers: list[int], joined: datetime, dice: random.Random
) -> None:
    size = len(customers)
    reserved = [_reserve(table, size) for table in _TABLES]
    plans = [dice.choice(base.plans) for _ in customers]
    addresses = _next_addresses(base, size)
    lines = []
    for index, customer in enumerate(customers):
        order, item, service, period, account, holding = (
            ids[index] for ids in reserved
        )
        lines.append(
            _Line(
                customer=customer,
                order=order,
                item=item,
                service=service,
                period=period,
                account=account,
                holding=holding,
                plan=plans[index][0],
                profile=plans[index][1],
                address=addresses[index],
            )
        )
    _copy_network(base, lines, joined)
    _copy_catalog(lines, joined)


def _copy_network(base: Base, lines: list[_Line], joined: datetime) -> None:
    ring, table = keyring(), "network_accessaccount"
    _copy(
        table,
        "id login secret kind mac_lock pool_id profile_id",
        (
            (
                line.account,
                f"g{line.account}",
                ring.seal(_PASSWORD, table=table, column="secret", row_id=line.account),
                "radius",
                "",
                base.pool_id,
                line.profile,
            )
            for line in lines
        ),
    )
    place = (base.pool_id, base.prefix_id, base.vrf_id)
    _copy(
        "network_addressassignment",
        "id address assigned_at reusable account_id pool_id prefix_id vrf_id",
        (
            (line.holding, line.address, joined, False, line.account, *place)
            for line in lines
        ),
    )


def _copy_catalog(lines: list[_Line], joined: datetime) -> None:
    day = joined.date()
    _copy(
        "catalog_order",
        "id reference state placed_at fulfilled_at customer_id",
        (
            (x.order, f"O-{x.order:06d}", "fulfilled", joined, joined, x.customer)
            for x in lines
        ),
    )
    _copy(
        "catalog_service",
        "id reference state activated_at active_from_date access_id customer_id"
        " plan_id",
        (
            (
                *(x.service, f"S-{x.service:06d}", "active", joined, day),
                *(x.account, x.customer, x.plan),
            )
            for x in lines
        ),
    )
    _copy(
        "catalog_orderitem",
        "id order_id plan_id service_id",
        ((x.item, x.order, x.plan, x.service) for x in lines),
    )
    _copy(
        "catalog_serviceplanperiod",
        "id start_date plan_id service_id",
        ((x.period, day, x.plan, x.service) for x in lines),
    )


def _next_addresses(base: Base, size: int) -> list[str]:
    block = ipaddress.ip_network(ADDRESS_BLOCK)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT host(max(address)) FROM network_addressassignment"
            " WHERE prefix_id = %s",
            [base.prefix_id],
        )
        highest = cursor.fetchone()[0]
    first = int(ipaddress.ip_address(highest or str(block[10]))) + 1
    return [str(ipaddress.ip_address(first + offset)) for offset in range(size)]


def _reserve(table: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id'))"
            " FROM generate_series(1, %s)",
            [table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def _copy(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(columns.split())
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
