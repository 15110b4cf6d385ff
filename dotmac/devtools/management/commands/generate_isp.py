from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone
from rich.progress import Progress

from apps.billing import operations as billing
from apps.catalog import operations as catalog
from apps.catalog import selectors as plans
from apps.identity import operations as identity
from apps.identity import selectors as people
from apps.network import operations as network
from apps.network import selectors as net
from dotmac.core.actors import Actor, system_actor
from dotmac.devtools import generate

SPEEDS = ((10_000, 5_000, 12_500), (50_000, 20_000, 28_000))


class Command(BaseCommand):
    help = "Write many customers with active services by COPY, for measurements."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, required=True)
        parser.add_argument(
            "--without-services", action="store_true", help="Customers only."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count = options["customers"]
        if not 1 <= count <= generate.CUSTOMERS_MAX:
            raise CommandError(f"From 1 to {generate.CUSTOMERS_MAX} customers.")
        base = _base(system_actor("generate_isp"))
        with Progress() as progress:
            task = progress.add_task("Customers", total=count)
            generate.generate(
                base=base,
                count=count,
                services=not options["without_services"],
                now=timezone.now(),
                tell=lambda done, _: progress.update(task, completed=done),
            )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(f"{count} customers written.")


def _base(actor: Actor) -> generate.Base:
    """The plans, pool and prefix of generated data; made at the first call."""
    now = timezone.now()
    began = now - timedelta(days=400)
    identity.sync_roles(operator_name=settings.OPERATOR_NAME, actor=actor, now=now)
    pool = net.address_pools(actor).filter(name="generated").first()
    if pool is None:
        pool = network.create_pool(name="generated", actor=actor, now=now)
        network.create_prefix(
            cidr=generate.ADDRESS_BLOCK, pool_id=pool.pk, actor=actor, now=now
        )
        billing.set_tax_rate(
            slug="standard",
            name="Standard rate",
            label="VAT",
            percent=Decimal("7.5"),
            valid_from=began.date(),
            actor=actor,
            now=now,
        )
        for speed in SPEEDS:
            _make_plan(pool.pk, speed, actor=actor, now=began)
    prefix = net.prefixes(actor).get(pool_id=pool.pk)
    chosen = plans.plans().filter(slug__startswith="generated-").order_by("pk")
    return generate.Base(
        unit_id=people.default_unit().pk,
        currency=settings.OPERATOR_CURRENCY,
        plans=[(plan.pk, plan.profile_id) for plan in chosen],
        pool_id=pool.pk,
        prefix_id=prefix.pk,
        vrf_id=prefix.vrf_id,
    )


def _make_plan(
    pool_id: int, speed: tuple[int, int, int], *, actor: Actor, now: datetime
) -> None:
    down, up, price = speed
    name = f"Generated {down // 1000}"
    profile = network.create_rate_profile(
        name=name, down_kbps=down, up_kbps=up, actor=actor, now=now
    )
    plan = catalog.create_plan(
        slug=f"generated-{down // 1000}",
        name=name,
        profile_id=profile.pk,
        pool_id=pool_id,
        tax_class="standard",
        actor=actor,
        now=now,
    )
    catalog.set_price(
        plan_id=plan.pk,
        currency=settings.OPERATOR_CURRENCY,
        amount=Decimal(price),
        valid_from=now.date(),
        actor=actor,
        now=now,
    )
