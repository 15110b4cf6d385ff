"""Addresses and names that people carry from one program to another."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from dotmac.core.console import Column, Panel, TablePanel


def to_enter(title: str, lines: Sequence[tuple[str, str]], says: str = "") -> Panel:
    """A line each, whole and ready to be copied."""
    return TablePanel(
        title=title,
        note=says,
        columns=(
            Column(_("What"), lambda line: line[0]),
            Column(_("Value"), lambda line: line[1], "code"),
        ),
        rows=lines,
    )
