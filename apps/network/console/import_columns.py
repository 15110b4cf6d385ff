"""Users of an import as tables show them: state, why, what both servers answer."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.network.enums import ComparisonVerdict, ImportRowState, ImportState
from apps.network.models import AccountImport, AccountImportRow
from dotmac.core.console import Column, State

_TONES = {
    ImportState.PREVIEW: ("busy", "clock"),
    ImportState.RUNNING: ("busy", "loader-2"),
    ImportState.DONE: ("good", "circle-check"),
    ImportState.UNDOING: ("busy", "loader-2"),
    ImportState.UNDONE: ("quiet", "arrow-back-up"),
    ImportState.DISCARDED: ("quiet", "trash"),
}
_ROW_TONES = {
    ImportRowState.READY: ("busy", "clock"),
    ImportRowState.REFUSED: ("bad", "ban"),
    ImportRowState.OPENED: ("good", "circle-check"),
    ImportRowState.CLOSED: ("quiet", "arrow-back-up"),
}
_VERDICT_TONES = {
    ComparisonVerdict.SAME: ("good", "circle-check"),
    ComparisonVerdict.DIFFERENT: ("bad", "alert-triangle"),
    ComparisonVerdict.SILENT: ("warn", "help-circle"),
}


def import_state(row: AccountImport) -> State:
    tone, icon = _TONES[ImportState(row.state)]
    return State(row.get_state_display(), tone, icon)


def row_state(row: AccountImportRow) -> State:
    tone, icon = _ROW_TONES[ImportRowState(row.state)]
    return State(row.get_state_display(), tone, icon)


def verdict_state(row: AccountImportRow) -> State:
    if not row.verdict:
        return State(_("Not asked"), "quiet", "help-circle")
    tone, icon = _VERDICT_TONES[ComparisonVerdict(row.verdict)]
    return State(row.get_verdict_display(), tone, icon)


def told(row: AccountImportRow) -> str:
    return "; ".join(row.differences)


ROW_COLUMNS = (
    Column(gettext_lazy("Login"), "login", "code", to="accounts", to_id="account_id"),
    Column(gettext_lazy("State"), row_state, "state"),
    Column(gettext_lazy("Remarks"), "reason", "long"),
    Column(gettext_lazy("Where it stood"), "place", phone=False),
)
DIFFERENCE_COLUMNS = (
    Column(gettext_lazy("Login"), "login", "code"),
    Column(gettext_lazy("Answers"), verdict_state, "state"),
    Column(gettext_lazy("What differs"), told, "long"),
)
