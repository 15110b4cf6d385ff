"""Whole stories run unmeasured: tracing costs them half as much time again.

Coverage is what the tests of single parts hold (rules and operations whole, see
`tools/coverage_floors.py`). A browser's walk, an installation's life or a table of
every page against every role passes through everything and pins down none of it,
so it neither earns a floor nor waits for the tracer.

Within a measured test Django's ORM runs untraced as well, and so does pytest's search
for the tests. On Python 3.11 the tracer is asked at every line of everything, and most
lines that a test runs are the ORM's. It calls nothing of ours
(`tests/promises/test_measuring.py` holds that), so no line of ours is lost.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

import coverage
import pytest
from coverage.tracer import CTracer

from tests.distribution import folder_of

STORY_FOLDERS = frozenset({"journeys", "stack"})
STORY_FILES = frozenset(
    {
        "test_access_matrix.py",
        "test_canaries.py",
        "test_health_under_trouble.py",
        "test_house_rules.py",
        "test_lists_are_filters.py",
        "test_outbox_survives.py",
        "test_production.py",
    }
)
# Where the ORM is entered. Left out are what takes a function of the caller
# (get_or_create) or runs one (the end of a transaction), and generators.
ORM: dict[str, tuple[str, ...]] = {
    "django.db.models.query.QuerySet": (
        "_fetch_all", "aggregate", "annotate", "bulk_create", "bulk_update", "count",
        "exclude", "exists", "filter", "first", "get", "in_bulk", "last", "order_by",
        "select_related", "update", "values", "values_list",
    ),
    "django.db.models.base.Model": ("refresh_from_db", "save"),
    "django.db.backends.base.base.BaseDatabaseWrapper": ("connect",),
    "django.db.backends.utils.CursorWrapper": ("execute", "executemany"),
}  # fmt: skip
# What of pytest's search for tests runs lines of ours, and what of that never does.
IMPORTS = {
    "_pytest.python": ("importtestmodule",),
    "_pytest.config.PytestPluginManager": ("_importconftest",),
}
REWRITING = {"_pytest.assertion.rewrite": ("_rewrite_test",)}
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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[Any]:
    """Trace the import of modules (which runs lines of ours), not the search for tests."""
    tracer: Any = sys.gettrace()
    if not isinstance(tracer, CTracer):
        return (yield)
    _wrap(IMPORTS, lambda function: _traced_by(tracer, function))
    _wrap(REWRITING, untraced)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        tracer.start()


def leave_the_orm_untraced() -> None:
    """Wrap the entrances of ORM, where coverage is measured at all."""
    if coverage.Coverage.current() is not None:
        _wrap(ORM, untraced)


def _wrap(
    places: Mapping[str, tuple[str, ...]],
    wrapped: Callable[[Callable[..., Any]], Callable[..., Any]],
) -> None:
    for place, names in places.items():
        owner = pkgutil.resolve_name(place)
        for name in names:
            setattr(owner, name, wrapped(getattr(owner, name)))


def untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with this thread's tracer away while it runs."""

    @wraps(function)
    def quietly(*args: Any, **kwargs: Any) -> Any:
        tracer: Any = sys.gettrace()
        if not isinstance(tracer, CTracer):
            return function(*args, **kwargs)
        # What the caller would make within (rows from a generator) is made before.
        args = tuple(_made(value) for value in args)
        kwargs = {name: _made(value) for name, value in kwargs.items()}
        # Ended and begun in this very frame, which the tracer sees begin and end:
        # it counts. So no context manager, no helper that begins it.
        sys.settrace(None)
        try:
            return function(*args, **kwargs)
        finally:
            tracer.start()

    return quietly


def _made(value: Any) -> Any:
    return list(value) if isinstance(value, Iterator) else value


def _traced_by(tracer: CTracer, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, traced also where its caller is not."""

    @wraps(function)
    def seen(*args: Any, **kwargs: Any) -> Any:
        if sys.gettrace() is not None:
            return function(*args, **kwargs)
        tracer.start()
        try:
            return function(*args, **kwargs)
        finally:
            sys.settrace(None)

    return seen
