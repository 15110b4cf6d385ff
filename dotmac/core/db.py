"""What the ORM does not say: COPY, reserved ids, SQL files, named refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, models
from django.db.migrations import RunSQL

from dotmac.core.errors import DomainError

IDS_MAX = 100_000


def next_ids(model: type[models.Model], count: int = 1) -> list[int]:
    """Reserve primary keys from the table's own sequence, in one statement."""
    if not 1 <= count <= IDS_MAX:
        raise ValueError(f"Between 1 and {IDS_MAX} ids at a time.")
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        # MATERIALIZED: the sequence's name is looked up once, not for every id.
        cursor.execute(
            "WITH s AS MATERIALIZED (SELECT pg_get_serial_sequence(%s, 'id')::regclass"
            " AS name) SELECT nextval(s.name) FROM s, generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Write rows by COPY; `columns` are field names of the model.

    Takes part in the current transaction. Triggers and constraints fire as for
    any insert; Python defaults do not. Returns the number of rows.
    """
    fields = [model._meta.get_field(name) for name in columns]
    names = ", ".join(f'"{field.column}"' for field in fields)  # type: ignore[union-attr]
    count = 0
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        raw = cursor.cursor
        with raw.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
    return count


def fetch_dicts(
    sql: str, params: Sequence[Any] | Mapping[str, Any] = ()
) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries. For selectors; bound the query yourself."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def set_constraints_immediate() -> None:
    """Check deferred foreign keys now, before a lock that others wait for."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@contextmanager
def refusing(**refusals: Callable[[], DomainError]) -> Iterator[None]:
    """Turn the violation of a named constraint into its refusal.

    Use inside `transaction.atomic`: the statement's transaction is rolled back
    by the error that leaves the block.
    """
    try:
        yield
    except IntegrityError as error:
        name = violated_constraint(error)
        if name in refusals:
            refusal = refusals[name]()
            raise refusal from error
        raise


def violated_constraint(error: IntegrityError) -> str:
    """The constraint's name, or an empty text when PostgreSQL names none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def sql_file(path: Path, reverse: str = RunSQL.noop) -> RunSQL:
    """A migration step from a file beside the app's `sql` package.

    In the text, {app_role}, {radius_role} and {owner_role} stand for quoted role
    names; a file that has landed is never edited, its successor replaces it.
    """
    text = path.read_text()
    for name, role in database_roles().items():
        text = text.replace("{" + name + "}", '"' + role.replace('"', '""') + '"')
    return RunSQL(text, reverse)


def database_roles() -> dict[str, str]:
    """Names of the roles in use (the users of the database URLs)."""
    return {
        "app_role": settings.DATABASES["default"]["USER"],
        "owner_role": settings.DATABASES["owner"]["USER"],
        "radius_role": settings.DATABASE_RADIUS_ROLE,
    }


def append_only(table: str) -> RunSQL:
    """Forbid UPDATE, DELETE and TRUNCATE, for the owner as well."""
    roles = database_roles()
    grant = ""
    if roles["app_role"] != roles["owner_role"]:
        grant = (
            f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{roles["app_role"]}";'
        )
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION dotmac_refuse_change();
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION dotmac_refuse_change();
        {grant}
        """,
        RunSQL.noop,
    )


EXTENSIONS = ("pgcrypto", "btree_gist", "pg_trgm", "pg_stat_statements")


class ExtensionsMissing(Exception):
    """An administrator must prepare the database; the text holds the lines."""


def require_extensions(apps: Any, schema_editor: Any) -> None:
    """A migration step: only a superuser may create extensions, so ask for it."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension")
        present = {row[0] for row in cursor.fetchall()}
    missing = [name for name in EXTENSIONS if name not in present]
    if missing:
        lines = "\n".join(f"CREATE EXTENSION IF NOT EXISTS {n};" for n in missing)
        raise ExtensionsMissing(
            "Run these lines as a superuser of this database, then migrate again:\n"
            + lines
        )
