"""Which tests stay together on one worker, and which go first.

xdist's own groups (`--dist loadgroup`) rest on renaming a test, which pytest 9.2
no longer allows: they group nothing there, silently (pytest-xdist issue 1386).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent
# Files and folders that share a whole installation: one worker makes it, once.
TOGETHER = (
    "tests/conformance/test_outage.py",
    "tests/gateway/test_production.py",
    "tests/journeys/",
    "tests/promises/test_canaries.py",
    "tests/stack/test_start.py",
)
LONG_FOLDERS = frozenset({"conformance", "journeys", "races", "stack"})


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Each test for itself, but those of a line of TOGETHER as one."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Ours, where nothing else was asked for."""
    return Together(config, log) if config.getoption("dist") == "load" else None


def folder_of(item: pytest.Item) -> str:
    """The folder of tests/ that it stands in."""
    return item.path.relative_to(ROOT / "tests").parts[0]


def is_long(item: pytest.Item) -> bool:
    """Goes first, so that no worker waits at the end for another's last."""
    return folder_of(item) in LONG_FOLDERS or "chromium" in getattr(
        item, "fixturenames", ()
    )
