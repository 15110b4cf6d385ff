"""Which rows are sealed with which key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from dotmac.core.sealed import SealedColumn, sealed_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnKeys:
    """One sealed column: rows by key id, and rows whose look-up value is behind."""

    column: SealedColumn
    rows: dict[int, int]
    index_behind: int = 0

    def other_than(self, key_id: int) -> int:
        """Rows that this key alone would not open."""
        return sum(count for key, count in self.rows.items() if key != key_id)


def sealed_rows() -> list[ColumnKeys]:
    """Every sealed column with the number of its rows on each key."""
    return [_of(column) for column in sealed_columns()]


def _of(column: SealedColumn) -> ColumnKeys:
    names = {
        "table": sql.Identifier(column.table),
        "sealed": sql.Identifier(column.field),
        "index": sql.Identifier(column.index or column.field),
    }
    behind = _INDEX_BEHIND if column.index else sql.SQL("0")
    query = sql.SQL(_COUNT).format(behind=behind.format(**names), **names)
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchall()
    return ColumnKeys(
        column=column,
        rows={key: rows for key, rows, _ in found},
        index_behind=sum(row[2] for row in found),
    )


_COUNT = """
    SELECT get_byte({sealed}, 1), count(*), {behind} FROM {table}
     WHERE {sealed} IS NOT NULL GROUP BY 1 ORDER BY 1
"""
_INDEX_BEHIND = sql.SQL(
    "count(*) FILTER (WHERE {index} IS NULL"
    " OR get_byte({index}, 0) <> get_byte({sealed}, 1))"
)
