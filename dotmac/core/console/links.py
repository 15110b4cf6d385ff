"""Where a cell leads."""

from __future__ import annotations

from typing import Any

from dotmac.core.console.columns import Column, read
from dotmac.core.console.page import Page
from dotmac.core.console.registry import registry
from dotmac.core.console.urls import detail_url


def link_of(column: Column, row: Any, page: Page | None = None) -> str:
    """The address behind a cell, or an empty text when it leads nowhere."""
    if column.to is None:
        return ""
    if callable(column.to):
        return column.to(row) or ""
    pk, screen = read(row, column.to_id), registry.details.get(column.to)
    if pk is None or screen is None:
        return ""
    if page is not None and not page.may(screen.permission):
        return ""
    return detail_url(column.to, pk)
