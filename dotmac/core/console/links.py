"""Where a cell leads."""

from __future__ import annotations

from typing import Any

from dotmac.core.console.columns import Column, read
from dotmac.core.console.registry import registry
from dotmac.core.console.urls import detail_url


def link_of(column: Column, row: Any) -> str:
    """The address behind a cell, or an empty text when it leads nowhere."""
    if column.to is None:
        return ""
    if callable(column.to):
        return column.to(row) or ""
    pk = read(row, column.to_id)
    if pk is None or column.to not in registry.details:
        return ""
    return detail_url(column.to, pk)
