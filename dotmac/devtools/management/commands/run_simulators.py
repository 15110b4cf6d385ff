from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.network import selectors as network
from dotmac.core.actors import system_actor
from dotmac.devtools import mail
from dotmac.devtools.demo import roster
from dotmac.devtools.simulator.nas import NasFacts, RadiusServer
from dotmac.devtools.simulator.network import Network
from dotmac.devtools.simulator.subscribers import SubscriberFacts

INTERIM_S = 30


class Command(BaseCommand):
    help = "Run the simulated NASes with their subscribers, and the mail server."

    def handle(self, *args: Any, **options: Any) -> None:
        server = mail.serve(
            settings.STATE_DIR / "mail",
            host=settings.EMAIL_HOST,
            port=settings.EMAIL_PORT,
        )
        simulated = _network()
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(_until_stopped(simulated))
        server.stop()


async def _until_stopped(simulated: Network) -> None:
    task = asyncio.ensure_future(simulated.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    # A demonstration without subscribers still serves mail until it is stopped.
    idle = asyncio.ensure_future(asyncio.Event().wait())
    task.add_done_callback(lambda done: idle.cancel() if done.cancelled() else None)
    await asyncio.gather(task, idle)


def _network() -> Network:
    """Secrets are read where they live, at each start."""
    listed = roster.read(settings.STATE_DIR)
    actor = system_actor("simulator")
    rows = {row.pk: row for row in network.nas_list(actor)}
    nases = [
        NasFacts(
            name=rows[nas_id].name,
            address=str(rows[nas_id].address).split("/")[0],
            secret=network.nas_secret(nas_id),
            coa_port=rows[nas_id].coa_port,
        )
        for nas_id in listed.nas_ids
        if nas_id in rows
    ]
    views = network.account_views(listed.account_ids)
    subscribers = [
        SubscriberFacts(
            login=view.login,
            password=network.account_secret(account_id),
            mac=_mac(account_id),
            interim_s=INTERIM_S,
        )
        for account_id, view in views.items()
    ]
    return Network(
        server=RadiusServer(
            host=settings.RADIUS_HOST,
            auth_port=settings.RADIUS_AUTH_PORT,
            acct_port=settings.RADIUS_ACCT_PORT,
        ),
        nases=nases,
        subscribers=subscribers,
        zone=settings.OPERATOR_ZONE,
    )


def _mac(account_id: int) -> str:
    """A locally administered address, the same at each start."""
    octets = (0x02, 0x4D, *account_id.to_bytes(4, "big"))
    return ":".join(f"{octet:02X}" for octet in octets)
