"""Whole stories run unmeasured: tracing costs them half as much time again.

Coverage is what the tests of single parts hold (rules and operations whole, see
`tools/coverage_floors.py`). A browser's walk, an installation's life or a table of
every page against every role passes through everything and pins down none of it,
so it neither earns a floor nor waits for the tracer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import coverage
import pytest

from tests.distribution import folder_of

STORY_FOLDERS = frozenset({"journeys", "stack"})
STORY_FILES = frozenset(
    {
        "test_access_matrix.py",
        "test_canaries.py",
        "test_health_under_trouble.py",
        "test_lists_are_filters.py",
        "test_outbox_survives.py",
        "test_production.py",
    }
)
# coverage.py hands its settings to every Python that a test starts in this one.
HANDED_ON = "COVERAGE_PROCESS_CONFIG"


def is_story(item: pytest.Item) -> bool:
    """Whether this test walks through the whole instead of asking one part."""
    return (
        folder_of(item) in STORY_FOLDERS
        or item.path.name in STORY_FILES
        or "chromium" in getattr(item, "fixturenames", ())
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Trace neither a story nor the fixtures and programs that it starts."""
    if not is_story(item):
        return (yield)
    with unmeasured():
        return (yield)


@contextmanager
def unmeasured() -> Iterator[None]:
    """No line run within is counted, here or in a Python that is started here."""
    measured = coverage.Coverage.current()
    handed_on = os.environ.pop(HANDED_ON, None)
    if measured is not None:
        measured.stop()
    try:
        yield
    finally:
        if handed_on is not None:
            os.environ[HANDED_ON] = handed_on
        if measured is not None:
            measured.start()
