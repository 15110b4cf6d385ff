"""A customer with a service, a session on line and some hours of usage."""

from __future__ import annotations

import math
import uuid
from datetime import timedelta

from apps.network.models import Nas, SessionLive, UsageHour

HOUR = timedelta(hours=1)


def put_on_line(world, person, *, now, hours=30):
    """Order and activate by the operations; the rows of packets by hand."""
    from tests.catalog.shops import build_shop, make_active, ordered

    shop = getattr(world, "shop", None) or build_shop()
    world.shop = shop
    service = make_active(shop, ordered(shop, person), now=world.now)
    nas = Nas.objects.first() or shop.net.create_nas(
        name="ikeja-1",
        address="127.0.1.1",
        site_id=shop.net.create_site(name="Ikeja", city="Lagos").pk,
    )
    session = SessionLive.objects.create(
        session_key=uuid.uuid4(),
        account_id=service.access_id,
        nas=nas,
        login=service.access.login,
        acct_session_id=f"s{service.pk}",
        framed_address="100.64.0.2",
        mac="AA:BB:CC:00:11:22",
        started_at=now - timedelta(hours=hours),
        seen_at=now,
        heard_at=now,
        seconds=hours * 3600,
        octets_in=3_200_000_000,
        octets_out=41_000_000_000,
        start_received=True,
    )
    top = now.replace(minute=0, second=0, microsecond=0)
    for back in range(hours):
        wave = 1 + math.sin(back / 3.8)
        UsageHour.objects.create(
            account_id=service.access_id,
            hour_at=top - HOUR * back,
            octets_in=int(90_000_000 * wave) + 20_000_000,
            octets_out=int(1_200_000_000 * wave) + 80_000_000,
        )
    return service, session
