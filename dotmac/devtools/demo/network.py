"""Sites, NASes, addresses, plans, prices and tax of the demonstration."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from apps.billing import operations as billing
from apps.catalog import operations as catalog
from apps.network import operations as network
from apps.network import selectors
from dotmac.core.actors import Actor
from dotmac.devtools.credentials import NAS_ADDRESS, FreeNas
from dotmac.devtools.demo.words import AREAS, PLANS, PlanFacts
from dotmac.devtools.installation import can_bind
from dotmac.devtools.servers import free_port

COA_PORT = 3799
HOME_PREFIX, BUSINESS_PREFIX = "100.64.0.0/18", "203.0.113.0/24"
VAT_PERCENT = Decimal("7.5")


@dataclass(slots=True)
class Ground:
    """What customers are put on."""

    free_nas: FreeNas
    nas_ids: list[int] = field(default_factory=list)
    plan_ids: dict[str, int] = field(default_factory=dict)


def lay_ground(*, actor: Actor, opened: datetime, raised: date) -> Ground:
    """Make the network and the price list. `raised` is when prices went up."""
    _, free_nas = _make_nas("Programs", NAS_ADDRESS, None, actor, opened)
    ground = Ground(free_nas=free_nas)
    network.ensure_platform_nas(now=opened)
    for number, area in enumerate(AREAS, 1):
        site = network.create_site(
            name=f"{area.name} POP",
            city="Lagos",
            latitude=area.latitude,
            longitude=area.longitude,
            actor=actor,
            now=opened,
        )
        name = f"bng-{area.name.lower().replace(' ', '-')}"
        made = _make_nas(name, f"127.0.1.{number}", site.pk, actor, opened)
        ground.nas_ids.append(made[0])
    pools = _pools(actor, opened)
    billing.set_tax_rate(
        slug="standard",
        name="Standard rate",
        label="VAT",
        percent=VAT_PERCENT,
        valid_from=opened.date() - timedelta(days=365),
        actor=actor,
        now=opened,
    )
    for facts in PLANS:
        pool_id = pools["business" if facts.business else "home"]
        ground.plan_ids[facts.slug] = _plan(facts, pool_id, actor, opened, raised)
    return ground


def _make_nas(
    name: str, address: str, site_id: int | None, actor: Actor, now: datetime
) -> tuple[int, FreeNas]:
    """A NAS with a generated secret; its id and what a program must know of it."""
    port = COA_PORT
    if not can_bind(port, datagram=True, host=address):
        port = free_port(address, socket.SOCK_DGRAM)
    made = network.create_nas(
        name=name,
        address=address,
        vendor="mikrotik",
        coa_port=port,
        site_id=site_id,
        actor=actor,
        now=now,
    )
    secret = selectors.nas_secret(made.pk)
    return made.pk, FreeNas(address=address, secret=secret, coa_port=port)


def _pools(actor: Actor, now: datetime) -> dict[str, int]:
    pools = {}
    for name, cidr in (("home", HOME_PREFIX), ("business", BUSINESS_PREFIX)):
        pool = network.create_pool(name=name, framed_pool=name, actor=actor, now=now)
        network.create_prefix(
            cidr=cidr,
            pool_id=pool.pk,
            description=f"{name.capitalize()} customers",
            actor=actor,
            now=now,
        )
        pools[name] = pool.pk
    network.create_prefix(
        cidr="100.64.0.0/10", kind="container", description="Shared address space (RFC 6598)", actor=actor, now=now,
    )  # fmt: skip
    return pools


def _plan(
    facts: PlanFacts, pool_id: int, actor: Actor, now: datetime, raised: date
) -> int:
    profile = network.create_rate_profile(
        name=facts.name,
        down_kbps=facts.down_kbps,
        up_kbps=facts.up_kbps,
        actor=actor,
        now=now,
    )
    plan = catalog.create_plan(
        slug=facts.slug,
        name=facts.name,
        profile_id=profile.pk,
        pool_id=pool_id,
        tax_class="standard",
        description=f"{facts.down_kbps // 1000} Mbit/s down, {facts.up_kbps // 1000} up",
        actor=actor,
        now=now,
    )
    for amount, valid_from in ((facts.old_price, now.date()), (facts.price, raised)):
        catalog.set_price(
            plan_id=plan.pk,
            currency=settings.OPERATOR_CURRENCY,
            amount=amount,
            valid_from=valid_from,
            actor=actor,
            now=now,
        )
    return plan.pk
