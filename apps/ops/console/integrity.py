"""Statements about the data that must be true, and whether they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.ops import operations, selectors
from apps.ops.models import IntegrityResult
from dotmac.core.console import (
    Button,
    Column,
    ConsoleForm,
    Done,
    FormScreen,
    Page,
    PageScreen,
    Panel,
    State,
    TablePanel,
    TextPanel,
    Tile,
    form_url,
    list_url,
    register_screen,
    state_of,
)
from dotmac.core.invariants import all_invariants


class RunForm(ConsoleForm):
    """Nothing to fill in: the button is the question."""


@register_screen
class IntegrityPage(PageScreen):
    slug = "integrity"
    title = gettext_lazy("Integrity")
    permission = "ops.view_integrity"
    icon = "shield-check"
    menu = "system"
    menu_order = 50
    intro = gettext_lazy(
        "Statements that must never be false. They are checked every night, and here."
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("Run now"),
                url=form_url("integrity/run"),
                icon="player-play",
                tone="primary",
                permission="ops.run_integrity",
            ),
        )

    def tiles(self, page: Page) -> Sequence[Tile]:
        results = selectors.latest_integrity_results()
        if not results:
            return []
        broken = sum(1 for result in results if result.offending)
        return [
            Tile(label=_("Statements"), value=len(results), kind="number"),
            Tile(
                label=_("Broken"),
                value=broken,
                kind="number",
                tone="bad" if broken else "good",
                why=_("Look at the rows below.") if broken else _("All hold."),
            ),
            Tile(label=_("Last run"), value=results[0].run_at, kind="datetime"),
        ]

    def panels(self, page: Page) -> Sequence[Panel]:
        results = selectors.latest_integrity_results()
        columns = (
            Column(_("Statement"), "says", "long"),
            Column(_("Name"), "name", "code", phone=False),
            Column(_("State"), _state, "state"),
            Column(_("Offending rows"), "offending", "number"),
        )
        table = TablePanel(
            title=_("Statements"),
            columns=columns,
            rows=results,
            empty=_("No run yet. %(count)s statements are known: run them now.")
            % {"count": len(all_invariants())},
        )
        samples = [
            TextPanel(title=result.name, text=json.dumps(result.sample, indent=2))
            for result in results
            if result.offending
        ]
        return [table, *samples]


def _state(result: IntegrityResult) -> State:
    return state_of("broken" if result.offending else "holds")


@register_screen
class RunIntegrity(FormScreen):
    slug = "integrity/run"
    title = gettext_lazy("Run the integrity checks")
    permission = "ops.run_integrity"
    form = RunForm
    submit_label = gettext_lazy("Run now")
    intro = gettext_lazy(
        "All statements are evaluated on one snapshot. It reads, and changes nothing."
    )

    def run(self, data: dict[str, Any], page: Page) -> Done:
        findings = operations.check_integrity(actor=page.actor, now=page.now)
        broken = sum(1 for finding in findings if finding.offending)
        if not broken:
            return Done(_("All statements hold."), list_url("integrity"))
        words = ngettext(
            "%(count)s statement is broken.", "%(count)s statements are broken.", broken
        )
        return Done(words % {"count": broken}, list_url("integrity"))
