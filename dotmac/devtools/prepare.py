"""Tables, roles and static files, in one Django process: a start pays for one."""

from __future__ import annotations

from collections.abc import Callable

import django
from django.core.management import call_command, get_commands

from dotmac.devtools.context import find_freeradius
from dotmac.devtools.reports import tell_progress


def main() -> None:
    """Bring the database and the files up to this version of DotMac."""
    django.setup()
    known = get_commands()
    steps: list[tuple[str, Callable[[], None]]] = [
        ("tables", lambda: _call("migrate", interactive=False, verbosity=1)),
        ("static files", lambda: _call("collectstatic", interactive=False)),
    ]
    if "sync_roles" in known:
        steps.insert(1, ("roles", lambda: _call("sync_roles")))
    if "write_freeradius_config" in known and find_freeradius():
        steps.append(("FreeRADIUS", lambda: _call("write_freeradius_config")))
    for number, (text, step) in enumerate(steps):
        tell_progress(done=number, total=len(steps), text=text)
        step()


def _call(name: str, **options: object) -> None:
    call_command(name, **options)


if __name__ == "__main__":
    main()
