"""Tables, roles and the platform's own NAS, in one Django process.

A start pays for one Django, and for none when nothing has changed since the
last one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command, get_commands
from django.utils import timezone

from dotmac.core.actors import system_actor
from dotmac.devtools.radius_probe import NAS_ADDRESS, SECRET
from dotmac.devtools.reports import tell_progress
from dotmac.devtools.servers import write_secret


def main() -> None:
    """Bring the database and the files up to this version of DotMac."""
    django.setup()
    steps: dict[str, Callable[[], object]] = {
        "tables": lambda: call_command("migrate", interactive=False),
        "vendors": lambda: call_command("load_vendor_maps"),
        "roles": lambda: call_command("sync_roles"),
        "network": lambda: keep_platform_nas(settings.STATE_DIR / "secrets" / SECRET),
    }
    if "sync_roles" not in get_commands():
        del steps["roles"]
    for number, (text, step) in enumerate(steps.items()):
        tell_progress(done=number, total=len(steps), text=text)
        step()


def keep_platform_nas(secret_file: Path) -> None:
    """The NAS as which DotMac itself asks its RADIUS server, and its secret."""
    from apps.network import operations, selectors  # noqa: PLC0415 - after setup()

    actor = system_actor("start")
    nas = selectors.nas_list(actor).filter(address=NAS_ADDRESS).first()
    if nas is None:
        nas = operations.create_nas(
            name="DotMac itself",
            address=NAS_ADDRESS,
            vendor="generic",
            actor=actor,
            now=timezone.now(),
        )
    write_secret(secret_file, selectors.nas_secret(nas.pk))


if __name__ == "__main__":
    main()
