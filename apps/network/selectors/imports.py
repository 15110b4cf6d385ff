"""Imports from other RADIUS servers, as staff watch them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from apps.network.enums import ComparisonVerdict, ImportRowState
from apps.network.models import AccessAccount, AccountImport, AccountImportRow
from dotmac.core.actors import Actor
from dotmac.core.models import open_sealed

_PERMISSION = "network.view_account_import"


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Users of an import by what became of them, and by the comparison."""

    ready: int = 0
    refused: int = 0
    opened: int = 0
    closed: int = 0
    same: int = 0
    different: int = 0
    silent: int = 0

    @property
    def total(self) -> int:
        return self.ready + self.refused + self.opened + self.closed

    @property
    def compared(self) -> int:
        return self.same + self.different + self.silent

    @property
    def may_switch(self) -> bool:
        """Every user was asked for, and both servers answer all of them alike."""
        return 0 < self.total == self.same


@dataclass(frozen=True, slots=True)
class ComparisonSubject:
    """One login to ask both servers for. Without an account, `why` says why."""

    row_id: int
    login: str
    password: str = ""
    mac: str = ""
    why: str = ""


def account_imports(
    actor: Actor, permission: str = _PERMISSION
) -> QuerySet[AccountImport]:
    """All of them, for whom the permission reaches the whole."""
    rows = AccountImport.objects.select_related("job", "nas", "profile", "compared_as")
    return rows if actor.scope(permission).everything else rows.none()


def account_import_rows(
    actor: Actor, permission: str = _PERMISSION
) -> QuerySet[AccountImportRow]:
    """Users of imports, for whom the permission reaches the whole."""
    rows = AccountImportRow.objects.select_related("batch", "account")
    return rows if actor.scope(permission).everything else rows.none()


def import_counts(import_id: int) -> ImportCounts:
    """In one statement, over the index of states."""
    rows = AccountImportRow.objects.filter(batch_id=import_id)
    counted = rows.aggregate(
        **{
            state: Count("pk", filter=Q(state=state)) for state in ImportRowState.values
        },
        **{v: Count("pk", filter=Q(verdict=v)) for v in ComparisonVerdict.values},
    )
    return ImportCounts(**counted)


def comparison_subjects(import_id: int | None) -> Iterator[ComparisonSubject]:
    """Whom to ask both servers for: the users of an import, else every open account.

    A user whose account was opened by hand since is asked for with that one. Opens
    passwords, one at a time.
    """
    accounts = AccessAccount.objects.active().order_by("pk")
    if import_id is None:
        for account in accounts.iterator(chunk_size=500):
            yield _subject(0, account)
        return
    rows = AccountImportRow.objects.filter(batch_id=import_id).order_by("number")
    mine = {
        account.login: account
        for account in accounts.filter(login__in=rows.values("login"))
    }
    for row in rows.iterator(chunk_size=500):
        account_of = mine.get(row.login)
        if account_of is not None:
            yield _subject(row.pk, account_of)
        else:
            yield ComparisonSubject(row.pk, row.login, why=row.reason)


def _subject(row_id: int, account: AccessAccount) -> ComparisonSubject:
    return ComparisonSubject(
        row_id, account.login, open_sealed(account, "secret"), account.mac_lock
    )
