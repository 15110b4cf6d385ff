"""Users of another RADIUS server become accounts: previewed, opened, taken back."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from dotmac.core.errors import InvalidInput
from tests.network.conftest import LATER, another_account
from tests.network.importing import (
    LAGOS,
    carried,
    checks,
    passwords,
    read,
    replies,
    rows_of,
    speeds,
)

pytestmark = pytest.mark.integration


def reasons(batch):
    return {row.login: row.reason for row in rows_of(batch)}


def test_accounts_are_opened_with_all_that_they_had(net):
    from apps.network.models import AccessAccount, AccessHold, AddressAssignment
    from apps.ops.models import Job
    from dotmac.core.models import open_sealed

    batch = read(
        net.do,
        checks(
            *passwords("bola", "chi"), "bola,Simultaneous-Use,:=,2",
            "bola,Calling-Station-Id,==,AA-BB-CC-00-11-22",
            "bola,Expiration,:=,31 Dec 2027", "chi,Auth-Type,:=,Reject",
        ),
        replies(
            *speeds("bola"), "bola,Framed-IP-Address,:=,192.0.2.4",
            "chi,Mikrotik-Rate-Limit,:=,1M/2M 2M/4M 1M/2M 8/8 3",
        ),
    )  # fmt: skip
    assert [row.state for row in rows_of(batch)] == ["ready", "ready"]
    assert not AccessAccount.objects.filter(login="bola").exists()

    net.do.start_import(import_id=batch.pk)
    assert carried(batch, LATER) == [2]
    bola, chi = AccessAccount.objects.filter(login__in=("bola", "chi")).order_by(
        "login"
    )
    assert open_sealed(bola, "secret") == "pw of bola"
    assert (bola.sessions_max, bola.mac_lock) == (2, "aa:bb:cc:00:11:22")
    assert bola.expires_at == datetime(2027, 12, 31, tzinfo=LAGOS)
    # The profile of the same speed is used, and another one made where there is none.
    assert bola.profile_id == net.profile.pk
    assert bola.pool_id == net.pool.pk
    held = AddressAssignment.objects.get(account=bola, released_at=None)
    assert held.address_text == "192.0.2.4"
    made = chi.profile
    assert (
        made.name == "Imported 2M down, 1M up, burst 4M/2M 8 s from 2M/1M, priority 3"
    )
    assert (made.burst_down_kbps, made.burst_s, made.priority) == (4_000, 8, 3)
    # Nothing was said of sessions: as many as one likes, as the old server had it.
    assert (made.sessions_max, chi.sessions_max) == (0, None)
    assert AccessHold.objects.get(account=chi).effect == "reject"
    assert batch.state == "done"
    assert [(row.state, bytes(row.facts or b"")) for row in rows_of(batch)] == [
        ("opened", b"")
    ] * 2
    job = Job.objects.get(pk=batch.job_id)
    assert (job.state, job.done, job.result) == ("succeeded", 2, {"open": 2})


def test_a_preview_says_why_a_user_cannot_come(net):
    net.do.create_pool(name="on-nas", mode="nas", framed_pool="main")
    batch = read(
        net.do,
        checks(
            *passwords("ada@home", "b", "c", "d", "e", "f", "g", "h", "i", "j"),
            "k,NT-Password,:=,0xAB", "short",
        ),
        replies(
            *speeds("ada@home", "b", "c", "d", "e", "f", "h", "i", "j"),
            "b,Framed-IP-Address,:=,203.0.113.9", "c,Framed-IP-Address,:=,192.0.2.1",
            "d,Framed-IP-Address,:=,192.0.2.4", "e,Framed-IP-Address,:=,192.0.2.4",
            "f,Service-Type,:=,Framed-User", "f,Nonsense,:=,x", "h,Framed-Pool,:=,nowhere",
            "i,Framed-Pool,:=,main", "j,Delegated-IPv6-Prefix,:=,2001:db8::/56",
            "k,Framed-Pool,=,main",
        ),
    )  # fmt: skip
    why = reasons(batch)
    assert why["ada@home"] == "An open account has this login."
    assert "No pool of DotMac gives 203.0.113.9" in why["b"]
    assert "No pool of DotMac gives 192.0.2.1" in why["c"]  # the gateway
    assert why["d"] == ""
    assert why["i"] == ""
    assert why["e"] == "d of this import has 192.0.2.4/32 as well."
    assert "no place for Service-Type = Framed-User" in why["f"]
    assert why["g"] == "It has no speed. Choose a profile for those."
    assert why["h"] == "There is no pool nowhere. Make it first."
    assert "2001:db8::/56 out (A delegated prefix" in why["j"]
    assert "NT-Password" in why["k"]
    assert why[""] == "It has 2 cells, the heading 5."
    states = {row.login: row.state for row in rows_of(batch)}
    assert {login for login, state in states.items() if state == "ready"} == {"d", "i"}
    assert all((row.facts is None) == (row.state != "ready") for row in rows_of(batch))


def test_a_chosen_profile_and_the_attributes_of_the_nas_cover_what_is_missing(net):
    from apps.network.models import AccessAccount

    files = checks(*passwords("b")), replies("b,Service-Type,:=,Framed-User")
    net.do.add_nas_attribute(nas_id=net.nas.pk, attribute="Service-Type", value="2")
    batch = read(net.do, *files, nas_id=net.nas.pk, profile_id=net.profile.pk)
    assert reasons(batch) == {"b": ""}
    # Without a NAS chosen, each of them must say it.
    assert "" in reasons(read(net.do, *files, profile_id=net.profile.pk)).values()
    net.do.create_nas(name="other", address="127.13.0.9")
    other = read(net.do, *files, profile_id=net.profile.pk)
    assert "no place for Service-Type" in reasons(other)["b"]

    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    account = AccessAccount.objects.get(login="b")
    assert (account.profile_id, account.sessions_max) == (net.profile.pk, 0)


def test_blocks_and_a_pool_in_two_tables_of_routes(net):
    vrf = net.do.create_vrf(name="second")
    twin = net.do.create_pool(name="twin", vrf_id=vrf.pk)
    net.do.create_prefix(cidr="192.0.2.0/29", pool_id=twin.pk, vrf_id=vrf.pk)
    blocks = net.do.create_pool(name="blocks", delegated_length=56, use="delegated")
    net.do.create_prefix(cidr="2001:db8::/40", pool_id=blocks.pk)
    batch = read(
        net.do,
        checks(*passwords("b", "c")),
        replies(
            *speeds("b", "c"), "b,Framed-IP-Address,:=,192.0.2.4",
            "c,Delegated-IPv6-Prefix,:=,2001:db8:7::/56",
        ),
    )  # fmt: skip
    assert reasons(batch) == {
        "b": "192.0.2.4 lies in more than one pool.", "c": "",
    }  # fmt: skip
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    row = rows_of(batch)[1]
    assert row.account.pool_id == blocks.pk


def test_what_changed_since_the_preview_is_refused_then_and_nothing_is_half_done(net):
    from apps.network.models import AccessAccount

    batch = read(
        net.do,
        checks(*passwords("b", "c", "d", "e")),
        replies(
            *speeds("b", "c", "d", "e"), "b,Framed-IP-Address,:=,192.0.2.2",
            "e,Framed-IP-Address,:=,192.0.2.5", "e,Framed-IPv6-Address,:=,2001:db8::5",
        ),
    )  # fmt: skip
    assert "2001:db8::5" in reasons(batch)["e"]
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)  # 192.0.2.2
    another_account(net, "c")
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    states = {row.login: (row.state, row.reason) for row in rows_of(batch)}
    assert states["b"] == ("refused", "Another account holds 192.0.2.2.")
    assert states["c"] == ("refused", "This login is in use.")
    assert states["d"] == ("opened", "")
    assert not AccessAccount.objects.filter(login="b").exists()
    again = read(net.do, checks(*passwords("x")),
                 replies(*speeds("x"), "x,Framed-IP-Address,:=,192.0.2.2"))  # fmt: skip
    assert reasons(again) == {"x": "Another account holds 192.0.2.2/32."}


def test_chunks_go_on_where_they_stopped(net, monkeypatch):
    from apps.network.errors import ImportNotReady
    from apps.network.models import AccessAccount
    from apps.network.operations import imports
    from apps.ops import operations as ops

    monkeypatch.setattr(imports, "CHUNK", 2)
    logins = [f"u{n}" for n in range(5)]
    batch = read(net.do, checks(*passwords(*logins)), replies(*speeds(*logins)))
    started = net.do.start_import(import_id=batch.pk)
    assert imports.carry_import(now=LATER) == 2
    # A worker that is killed takes its chunk with it, and leaves the one before.
    with monkeypatch.context() as broken:
        broken.setattr(ops, "advance_job", _killed)
        with pytest.raises(KeyboardInterrupt):
            imports.carry_import(now=LATER)
    assert AccessAccount.objects.filter(login__in=logins).count() == 2
    assert carried(batch, LATER) == [2, 1]
    assert AccessAccount.objects.filter(login__in=logins).count() == 5
    assert imports.carry_import(now=LATER) == 0
    with pytest.raises(ImportNotReady):
        net.do.start_import(import_id=started.pk)


def test_a_full_last_chunk_ends_it_too(net, monkeypatch):
    from apps.network.operations import imports

    monkeypatch.setattr(imports, "CHUNK", 2)
    batch = read(net.do, checks(*passwords("a", "b")), replies(*speeds("a", "b")))
    net.do.start_import(import_id=batch.pk)
    assert imports.carry_import(now=LATER, import_id=batch.pk) == 2
    assert carried(batch, LATER) == []
    assert batch.state == "done"


def test_a_cancelled_import_keeps_no_password(net, monkeypatch):
    from apps.network.operations import imports
    from apps.ops import operations as ops
    from dotmac.core.actors import system_actor

    monkeypatch.setattr(imports, "CHUNK", 1)
    batch = read(net.do, checks(*passwords("a", "b")), replies(*speeds("a", "b")))
    batch = net.do.start_import(import_id=batch.pk)
    imports.carry_import(now=LATER)
    ops.cancel_job(job_id=batch.job_id, actor=system_actor("test"), now=LATER)
    assert carried(batch, LATER) == []
    assert [row.state for row in rows_of(batch)] == ["opened", "refused"]
    assert rows_of(batch)[1].facts is None
    assert "cancelled" in rows_of(batch)[1].reason
    batch.job.refresh_from_db()
    assert (batch.state, batch.job.state) == ("done", "cancelled")
    # One that was cancelled before any worker saw it.
    other = read(net.do, checks(*passwords("c")), replies(*speeds("c")))
    other = net.do.start_import(import_id=other.pk)
    ops.cancel_job(job_id=other.job_id, actor=system_actor("test"), now=LATER)
    carried(other, LATER)
    assert [row.state for row in rows_of(other)] == ["refused"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"profile_id": 0}, "profile_id"), ({"nas_id": 0}, "nas_id")],
)
def test_what_is_chosen_must_be_there(net, facts, field):
    with pytest.raises(InvalidInput) as refusal:
        read(net.do, checks(*passwords("b")), **facts)
    assert refusal.value.field == field


def test_files_without_users_are_refused(net, monkeypatch):
    from apps.network.operations import import_reading

    with pytest.raises(InvalidInput, match="no users in it"):
        read(net.do, ("x.csv", b"nothing"))
    monkeypatch.setattr(import_reading, "USERS_MAX", 1)
    with pytest.raises(InvalidInput, match="Between 1 and 1"):
        read(net.do, checks(*passwords("b", "c")))


def test_users_of_a_user_manager_come_alike(net):
    users = b"name,password,shared-users,attributes\nb,x,1,Mikrotik-Rate-Limit:5M/10M\n"
    batch = read(net.do, ("users.csv", users))
    assert (batch.source, reasons(batch)) == ("user_manager", {"b": ""})


def test_two_speeds_of_one_name_get_a_number(net):
    from apps.network.models import RateProfile

    net.do.create_rate_profile(name="Imported 2M down, 1M up", down_kbps=9, up_kbps=9)
    batch = read(
        net.do,
        checks(*passwords("b")),
        replies("b,Mikrotik-Rate-Limit,:=,1M/2M", "b,Acct-Interim-Interval,=,600"),
    )
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    made = RateProfile.objects.get(name="Imported 2M down, 1M up (2)")
    assert made.interim_s == 600


def test_the_database_keeps_no_password_of_a_row_that_is_done(net):
    from apps.network.models import AccountImportRow

    batch = read(net.do, checks(*passwords("b")), replies(*speeds("b")))
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountImportRow.objects.filter(batch=batch).update(state="refused")


def test_two_addresses_of_one_pool_are_one_too_many(net):
    batch = read(
        net.do,
        checks(*passwords("b")),
        replies(
            *speeds("b"), "b,Framed-IP-Address,:=,192.0.2.4",
            "b,Framed-IP-Address,+=,192.0.2.5",
        ),
    )  # fmt: skip
    net.do.start_import(import_id=batch.pk)
    carried(batch, LATER)
    assert "more than one address of the pool home" in reasons(batch)["b"]


def _killed(**_facts):
    raise KeyboardInterrupt
