#!/usr/bin/env python
"""Django's command line for DotMac, on the installation that start.py made.

DOTMAC_DATA names another installation's folder; with DATABASE_URL in the
environment only the environment counts.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
_ADVICE = "Is DotMac started (scripts/start.py)? manage.py doctor says what is wrong."


def main() -> None:
    """Run one management command."""
    _enter_environment()
    _use_installation(Path(os.environ.get("DOTMAC_DATA") or ROOT / ".dotmac"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotmac.settings.development")
    if sys.argv[1:2] == ["doctor"]:
        # It must work where the settings themselves are what is wrong.
        from dotmac.devtools import doctor

        sys.exit(doctor.main())
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error} {_ADVICE}")
    except OperationalError as error:
        sys.exit(f"The database does not do it: {error}\n{_ADVICE}")


def _enter_environment() -> None:
    """Outside the environment that start.py made, run again inside it."""
    python = ROOT / ".venv" / "bin" / "python"
    if find_spec("django") is None and python.exists():
        os.execv(python, [str(python), *sys.argv])  # noqa: S606  # nosec B606


def _use_installation(folder: Path) -> None:
    """The addresses of the last start, where the caller gives none."""
    settings = folder / "settings.env"
    told = {"DATABASE_URL", "DATABASE_URL_PATH"} & os.environ.keys()
    if told or not os.access(settings, os.R_OK):
        return
    for line in settings.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    main()
