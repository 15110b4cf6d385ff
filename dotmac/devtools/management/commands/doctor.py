from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from dotmac.devtools import doctor


class Command(BaseCommand):
    help = "Say what is wrong with this machine and this installation."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(doctor.main())
