"""What the registry holds, once every app has declared its screens."""

from __future__ import annotations

from dotmac.console.autodiscover import load_screens
from dotmac.core.console import registry
from dotmac.core.console.screens import ListScreen, Screen


def lists() -> list[ListScreen]:
    load_screens()
    return [registry.lists[slug] for slug in sorted(registry.lists)]


def flat() -> list[Screen]:
    """Screens that need no record: lists, pages, forms."""
    load_screens()
    shelves = (registry.lists, registry.pages, registry.forms)
    return [shelf[slug] for shelf in shelves for slug in sorted(shelf)]
