"""The database that a fault is tested on.

Code faults use the run's template as it is. Faults of the database are planted in
a copy of it that becomes the template of that one run: its name begins with
`dotmac_planted_` and it is dropped afterwards, so that no other run can clone it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from tests import environment
from tools.faults.guard import CannotPlant, Guard, Sql, replaced

TEMPLATE = "DOTMAC_TEST_TEMPLATE"
_PORT_OF = "DATABASE_OWNER_URL"


@contextmanager
def servers() -> Iterator[None]:
    """The test servers of this process, started unless pytest did so already."""
    if os.environ.get(TEMPLATE):
        yield
        return
    started = environment.start()
    try:
        yield
    finally:
        started.stop()
        os.environ.pop(TEMPLATE, None)


@contextmanager
def template_for(guard: Guard | None) -> Iterator[Mapping[str, str]]:
    """The environment in which tests clone a database with the guard's fault."""
    if guard is None or not guard.database:
        yield _urls(os.environ[TEMPLATE])
        return
    name = f"dotmac_planted_{uuid.uuid4().hex[:12]}"
    environment.clone_database(name)
    try:
        urls = _urls(name)
        with psycopg.connect(urls[_PORT_OF]) as owner:
            plant(guard, owner)
        yield {**urls, TEMPLATE: name}
    finally:
        environment.drop_database(name)


def plant(guard: Guard, owner: psycopg.Connection[Any]) -> None:
    """Make the guard's changes of the database, in the caller's transaction."""
    for change in guard.database:
        try:
            if isinstance(change, Sql):
                owner.execute(change.statement)
            else:
                text = _definition(owner, change.function)
                broken = replaced(text, change.old, change.new, where=change.function)
                owner.execute(broken)
        except psycopg.Error as error:
            raise CannotPlant(f"{guard.title}: {error}") from error


def _definition(owner: psycopg.Connection[Any], function: str) -> str:
    row = owner.execute(
        "SELECT pg_get_functiondef(to_regproc(%s))", [function]
    ).fetchone()
    if row is None or row[0] is None:
        raise CannotPlant(f"There is no one function {function}.")
    return str(row[0])


def _urls(name: str) -> dict[str, str]:
    superuser = psycopg.conninfo.conninfo_to_dict(
        os.environ["DOTMAC_TEST_SUPERUSER_URL"]
    )
    return environment.database_environment(int(superuser["port"] or 5432), name)
