"""Imports that are taken back, thrown away, carried by a worker, and forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dotmac.core.actors import system_actor
from tests.network.conftest import LATER, NOON, another_account, session_row
from tests.network.importing import (
    carried,
    checks,
    passwords,
    read,
    replies,
    rows_of,
    speeds,
)

pytestmark = pytest.mark.integration


def test_taking_it_back_closes_what_nobody_used(net):
    from apps.network.models import AccessAccount

    batch = read(
        net.do,
        checks(*passwords("b", "c")),
        replies(*speeds("b", "c"), "b,Framed-IP-Address,:=,192.0.2.4"),
    )
    with pytest.raises(Exception, match="past this"):
        net.do.undo_import(import_id=batch.pk)
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    session_row(net, AccessAccount.objects.get(login="c"))
    net.do.undo_import(import_id=batch.pk, now=LATER)
    assert carried(batch, LATER) == [2]
    states = [(row.login, row.state, row.reason) for row in rows_of(batch)]
    assert states == [("b", "closed", ""), ("c", "opened", "It was used, and stays.")]
    assert AccessAccount.objects.get(login="b").closed_at == LATER
    assert AccessAccount.objects.get(login="c").closed_at is None
    assert batch.state == "undone"
    # The same file may come again: the address that rests is its own.
    again = read(net.do, checks(*passwords("b")),
                 replies(*speeds("b"), "b,Framed-IP-Address,:=,192.0.2.4"))  # fmt: skip
    net.do.start_import(import_id=again.pk)
    carried(again, LATER)
    assert rows_of(again)[0].state == "opened"


def test_used_accounts_do_not_keep_it_from_ending(net, monkeypatch):
    from apps.network.models import AccessAccount
    from apps.network.operations import imports

    batch = read(net.do, checks(*passwords("b", "c")), replies(*speeds("b", "c")))
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    session_row(net, AccessAccount.objects.get(login="b"))
    net.do.undo_import(import_id=batch.pk, now=LATER)
    monkeypatch.setattr(imports, "CHUNK", 1)
    done = [imports.carry_import(now=LATER, import_id=batch.pk) for _ in range(3)]
    assert done == [1, 1, 0]
    assert [row.state for row in rows_of(batch)] == ["opened", "closed"]


def test_there_is_nothing_to_start_or_to_take_back(net):
    from apps.network.errors import ImportNotReady

    batch = read(net.do, checks("a,NT-Password,:=,x"))
    with pytest.raises(ImportNotReady, match="None of its users"):
        net.do.start_import(import_id=batch.pk)
    busy = read(net.do, checks(*passwords("b")), replies(*speeds("b")))
    another_account(net, "b")
    net.do.start_import(import_id=busy.pk)
    carried(busy, LATER)
    with pytest.raises(ImportNotReady, match="opened no account"):
        net.do.undo_import(import_id=busy.pk)
    with pytest.raises(ImportNotReady):
        net.do.discard_import(import_id=busy.pk)


def test_a_preview_is_thrown_away_whole(net):
    from apps.network.models import AccountImportRow

    batch = read(net.do, checks(*passwords("b")), replies(*speeds("b")))
    net.do.discard_import(import_id=batch.pk)
    gone = net.do.discard_import(import_id=batch.pk)
    assert gone.state == "discarded"
    assert not AccountImportRow.objects.filter(batch=batch).exists()


def test_imports_are_forgotten_after_their_time(net):
    from apps.network import operations
    from apps.network.models import AccessAccount, AccountImport

    old = read(net.do, checks(*passwords("b")), replies(*speeds("b")))
    done = read(net.do, checks(*passwords("c")), replies(*speeds("c")))
    net.do.start_import(import_id=done.pk)
    carried(done, LATER)
    forget = operations.forget_imports
    assert forget(before=NOON, now=NOON + timedelta(days=7)) == 0
    assert forget(before=LATER + timedelta(days=1), now=NOON + timedelta(days=8)) == 2
    assert forget(before=LATER + timedelta(days=1), now=NOON + timedelta(days=8)) == 0
    assert AccountImport.objects.get(pk=old.pk).state == "discarded"
    assert not rows_of(done)
    assert AccessAccount.objects.get(login="c").closed_at is None


def test_the_worker_carries_and_the_night_forgets(net, monkeypatch):
    from apps.network import tasks

    batch = read(net.do, checks(*passwords("b")), replies(*speeds("b")))
    net.do.start_import(import_id=batch.pk)
    assert tasks.carry_imports() == 1
    batch.refresh_from_db()
    assert batch.state == "done"


def test_people_are_exported_and_forgotten_with_their_accounts(net):
    from apps.network import operations, selectors

    batch = read(net.do, checks(*passwords("b")), replies(*speeds("b")))
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    (row,) = rows_of(batch)
    held = {h.name: list(h.rows) for h in selectors.held_about([row.account_id])}
    assert held["network.imports"][0]["login"] == "b"
    net.do.close_access(account_id=row.account_id)
    operations.forget_accounts(
        account_ids=[row.account_id], actor=system_actor("test"), now=LATER
    )
    row.refresh_from_db()
    assert row.login == f"erased-{row.account_id}"
    assert (row.reason, row.differences) == ("", [])
