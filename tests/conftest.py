"""Servers for the run, and a database for each test that wants one.

`db` (pytest-django): a transaction that is rolled back, in the worker's own
clone. `own_database` (fixture or marker): commits are real, in a clone made
for this test alone; use it for races, workers and anything with two
connections.
"""

from __future__ import annotations

import os
import uuid

import pytest

from tests import environment
from tests.distribution import pytest_xdist_make_scheduler
from tests.measuring import (
    leave_the_orm_untraced,
    pytest_collection,
    pytest_runtest_protocol,
)
from tests.reporting import (
    pytest_collection_modifyitems,
    pytest_sessionfinish,
    pytest_terminal_summary,
)

__all__ = [
    "pytest_collection",
    "pytest_collection_modifyitems",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_xdist_make_scheduler",
]

_servers: environment.Servers | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-queries",
        action="store_true",
        help="Write down how many queries each list takes.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The controller starts the servers before Django reads its settings.

    That is why pyproject.toml names no settings module: pytest-django would
    load it before this file.
    """
    global _servers  # noqa: PLW0603 - the run's servers live as long as the run
    os.environ["DJANGO_SETTINGS_MODULE"] = "dotmac.settings.test"
    if not os.environ.get("DOTMAC_TEST_TEMPLATE"):
        _servers = environment.start(beside=True)
    from django.conf import settings

    # pytest-django sets Django up once its settings have been read.
    assert settings.DATABASES["default"]["USER"] == "dotmac_app"
    leave_the_orm_untraced()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """No test begins before the template is there."""
    environment.await_template()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _servers is not None:
        _servers.stop()
        os.environ.pop("DOTMAC_TEST_TEMPLATE", None)


@pytest.fixture(scope="session")
def django_db_setup(worker_id, django_db_blocker):
    """Replace pytest-django's own: clone the template, connect as dotmac_app."""
    name = f"dotmac_{worker_id}_{os.getpid()}"
    environment.clone_database(name)
    with django_db_blocker.unblock():
        _point_to(name)
    yield
    with django_db_blocker.unblock():
        _close_all()
    environment.drop_database(name)


@pytest.fixture
def own_database(django_db_setup, django_db_blocker):
    """A database of the test's own, in which commits stay. Yields its name."""
    from django.conf import settings

    before = settings.DATABASES["default"]["NAME"]
    before_environment = {k: os.environ[k] for k in _URLS}
    name = f"dotmac_own_{uuid.uuid4().hex[:12]}"
    environment.clone_database(name)
    with django_db_blocker.unblock():
        _point_to(name)
        for key in _URLS:
            os.environ[key] = before_environment[key].rsplit("/", 1)[0] + f"/{name}"
        try:
            yield name
        finally:
            _close_all()
            _point_to(before)
            os.environ.update(before_environment)
    environment.drop_database(name)


_URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "RADIUS_DATABASE_URL")


def _point_to(name: str) -> None:
    """Make both aliases use this database from the next connection on."""
    from django.conf import settings
    from django.db import connections

    for alias in ("default", "owner"):
        connection = connections[alias]
        connection.close()
        connection.settings_dict["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name


def _close_all() -> None:
    from django.db import connections

    for connection in connections.all():
        connection.close()


@pytest.fixture
def world(db):
    """The fixed cast, each made when first named: `world.ada`, `world.chidi`."""
    from tests.world import World

    return World()
