"""Serve the simulated payment gateway until interrupted."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dotmac.devtools.paystack import Behaviour, PaystackSimulator


class Command(BaseCommand):
    """Uses the installation's own Paystack key, so that both sides agree."""

    help = "Serve a stand-in for Paystack (demonstration and tests; no real money)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument(
            "--webhook-url",
            default=f"{settings.BASE_URL}/webhooks/paystack",
            help="Where charge.success is sent.",
        )
        parser.add_argument("--no-webhooks", action="store_true")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            key = settings.PAYSTACK_SECRET_KEY_PATH.read_text().strip()
        except OSError as error:
            raise CommandError(f"Cannot read the Paystack key: {error}") from error
        simulator = PaystackSimulator(
            secret_key=key,
            host=options["host"],
            port=options["port"],
            webhook_url=options["webhook_url"],
            behaviour=Behaviour(webhooks=not options["no_webhooks"]),
        )
        self._serve(simulator)

    def _serve(self, simulator: PaystackSimulator) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        simulator.start()
        self.stdout.write(f"Simulated Paystack at {simulator.url} (no real money)")
        stopping.wait()
        simulator.stop()
