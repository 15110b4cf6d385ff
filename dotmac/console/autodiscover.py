"""Load what the apps declare: the `console` module of each."""

from __future__ import annotations

from importlib import import_module

from django.utils.module_loading import autodiscover_modules


def load_screens() -> None:
    """Import `apps/X/console.py` of every installed app. Repeatable."""
    autodiscover_modules("console")
    import_module("dotmac.console.hub")
    import_module("dotmac.console.line")
    import_module("dotmac.console.standing")
