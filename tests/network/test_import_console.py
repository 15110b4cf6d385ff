"""Imports in the console and by the command: what people see, do, and are refused."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.network.models import AccessAccount, AccountImport
from apps.network.radius.old_tables import read_database
from apps.network.rules.credentials import MalformedText
from tests.network.conftest import acting, build_network
from tests.network.importing import carried, checks, passwords, replies, speeds
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor, now=timezone.now()))


@pytest.fixture
def browser(world):
    return enter(world.nuru)


def page(browser, path):
    answer = browser.get(f"/console/{path}")
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def upload(browser, content: bytes, name: str = "radcheck.csv", **facts):
    file = SimpleUploadedFile(name, content)
    facts = {"profile_id": "", "nas_id": "", **facts}
    return browser.post("/console/account-imports/new", {"file": file, **facts})


def test_a_person_uploads_looks_and_opens(net, browser):
    _name, content = checks(*passwords("bola"), "chi,NT-Password,:=,0xAB")
    answer = upload(browser, content, profile_id=net.profile.pk, nas_id=net.nas.pk)
    batch = AccountImport.objects.get()
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"/console/account-imports/{batch.pk}")

    shown = page(browser, f"account-imports/{batch.pk}")
    assert "bola" in shown
    assert "pw of bola" not in shown
    assert "password cannot be read back (NT-Password)" in shown
    asks = page(browser, f"account-imports/{batch.pk}/start")
    assert "Accounts to open: 1;" in asks
    assert "not imported: 1." in asks
    browser.post(f"/console/account-imports/{batch.pk}/start", {"confirmed": "yes"})
    batch.refresh_from_db()
    assert batch.state == "running"
    assert "Opens accounts" in page(browser, f"account-imports/{batch.pk}")
    carried(batch, timezone.now())
    assert AccessAccount.objects.filter(login="bola", closed_at=None).exists()
    shown = page(browser, f"account-import-rows?import={batch.pk}&q=bo")
    assert "bola" in shown
    assert "chi" not in shown.split("<main")[1]
    refused = page(browser, f"account-import-rows?import={batch.pk}&state=refused")
    assert "chi" in refused
    assert "radcheck.csv" in page(browser, "account-imports?state=done")

    browser.post(f"/console/account-imports/{batch.pk}/undo", {"confirmed": "yes"})
    carried(batch, timezone.now())
    assert batch.state == "undone"


def test_a_person_throws_a_preview_away(net, browser):
    upload(browser, checks(*passwords("bola"))[1])
    batch = AccountImport.objects.get()
    browser.post(f"/console/account-imports/{batch.pk}/discard", {"confirmed": "yes"})
    batch.refresh_from_db()
    assert batch.state == "discarded"
    assert not batch.rows.exists()


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04 no zip"])
def test_a_file_that_is_none_marks_the_field(net, browser, content):
    answer = upload(browser, content)
    assert answer.status_code in {200, 400, 422}
    assert not AccountImport.objects.exists()
    assert "no users in it" in answer.content.decode() or "no zip" in str(
        answer.content
    )


def test_the_comparison_is_told_where_the_import_is(net, browser):
    from apps.network import operations
    from apps.network.enums import ComparisonVerdict
    from apps.network.operations.comparing import Compared

    upload(browser, checks(*passwords("bola", "chi"))[1], profile_id=net.profile.pk)
    batch = AccountImport.objects.get()
    where = f"account-imports/{batch.pk}?tab=comparison"
    shown = page(browser, where)
    assert "Nobody has compared yet." in shown
    assert f"compare_radius --import {batch.pk} " in shown
    net.do.begin_comparison(import_id=batch.pk, source="127.0.1.1")
    rows = list(batch.rows.order_by("number"))
    found = [
        Compared(rows[0].pk, "bola", ComparisonVerdict.SAME, []),
        Compared(
            rows[1].pk,
            "chi",
            ComparisonVerdict.DIFFERENT,
            ["Framed-Pool: a before, b now"],
        ),
        Compared(0, "gone", ComparisonVerdict.SAME, []),
    ]
    keep = operations.store_comparison
    assert keep(import_id=batch.pk, found=found, now=timezone.now(), done=False) == 2
    shown = page(browser, where)
    assert "Not yet." in shown
    assert "Framed-Pool: a before, b now" in shown
    rest = [Compared(rows[1].pk, "chi", ComparisonVerdict.SAME, [])]
    keep(import_id=batch.pk, found=rest, now=timezone.now(), done=True)
    assert "every user gets the same answer" in page(browser, where)
    # Another one begins with nothing.
    net.do.begin_comparison(import_id=batch.pk, source="127.0.1.1")
    assert "Nobody has compared yet." in page(browser, where)
    net.do.discard_import(import_id=batch.pk)
    with pytest.raises(Exception, match="thrown away"):
        net.do.begin_comparison(import_id=batch.pk, source="127.0.1.1")


def test_without_an_import_every_open_account_is_asked_for(net, tmp_path, monkeypatch):
    from apps.network.operations import comparing
    from apps.network.rules.imports.comparison import Answer

    secret = tmp_path / "secret"
    secret.write_text("of the old server\n")
    net.do.change_access(account_id=net.account.pk, mac_lock="aabbcc001122")
    asked = []

    def ask(door, login):
        asked.append((door.server, door.signed, login.name, login.mac, login.chap))
        return Answer("accepted")

    monkeypatch.setattr(comparing, "ask", ask)
    monkeypatch.setattr(comparing, "ASKERS", 1)
    told = io.StringIO()
    call_command(
        "compare_radius", "--old", "127.0.0.1:1999", "--secret-file", str(secret),
        "--source", "127.0.1.1", "--mac", "AA-BB-CC-DD-EE-FF", "--rate", "1000",
        stdout=told,
    )  # fmt: skip
    assert "1 logins compared: 1 the same, 0 different, 0 without" in told.getvalue()
    assert [one[1:] for one in asked] == [
        (False, "ada@home", "AA-BB-CC-00-11-22", False),
        (True, "ada@home", "AA-BB-CC-00-11-22", False),
    ]
    assert asked[0][0] == ("127.0.0.1", 1999)


@pytest.mark.parametrize(
    ("source", "secret", "why"),
    [
        ("192.0.2.77", b"of the old", "has no IPv4 address 192.0.2.77 to ask from"),
        ("2001:db8::77", b"of the old", "has no IPv4 address 2001:db8::77"),
        ("192.0.2.78", b"of the old", "DotMac has no NAS at 192.0.2.78"),
        ("192.0.2.77", b"\xff\xfe", "it is no text"),
    ],
)
def test_a_comparison_that_cannot_be_asked_is_refused(
    net, tmp_path, source, secret, why
):
    file = tmp_path / "secret"
    file.write_bytes(secret)
    for number, address in enumerate(("192.0.2.77", "2001:db8::77")):
        net.do.create_nas(name=f"real-{number}", address=address)
    with pytest.raises(CommandError, match=why):
        call_command(
            "compare_radius", "--old", "127.0.0.1:1999", "--secret-file", str(file),
            "--source", source,
        )  # fmt: skip


def command(*options: str) -> str:
    told = io.StringIO()
    call_command("import_accounts", *options, stdout=told)
    return told.getvalue()


def test_the_command_reads_and_opens(net, tmp_path):
    for name, content in (checks(*passwords("bola", "chi")), replies(*speeds("bola"))):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "other.csv").write_text("a,b\n")
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    told = command(*files)
    assert "waits for a decision: 1 ready, 0 opened, 1 not imported." in told
    assert "radcheck.csv line 3: chi It has no speed." in told
    assert "Files that were left aside: other.csv." in told
    batch = AccountImport.objects.get()
    assert ", done: 0 ready, 1 opened" in command("--import", str(batch.pk), "--start")
    assert "1 opened" in command("--import", str(batch.pk), "--start")
    told = command(*files, "--profile", "10M", "--nas", "ikeja-1")
    assert "1 ready" in told
    assert "bola An open account has this login." in told


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "Give files, or --database-file"),
        (["/nonexistent.csv"], "No such file"),
        (["--import", "0"], "no such import"),
        (["{file}", "--profile", "none"], "There is no rate profile none"),
        (["{file}"], "no users in it"),
        (["--database-file", "{file}"], "begins with postgresql://"),
    ],
)
def test_the_command_refuses_in_words(net, tmp_path, options, why):
    file = tmp_path / "x.csv"
    file.write_text("mysql://nobody:secret@nowhere/radius\n")
    with pytest.raises(CommandError, match=why) as refusal:
        command(*(option.format(file=file) for option in options))
    assert "secret" not in str(refusal.value)


def test_a_database_of_sqlite_is_read_as_it_stands(tmp_path):
    path = tmp_path / "radius.db"
    with closing(sqlite3.connect(path)) as old:
        for table in ("radcheck", "radreply", "radgroupcheck", "radgroupreply"):
            owner = "groupname" if "group" in table else "username"
            old.execute(
                f"CREATE TABLE {table} (id INTEGER, {owner}, attribute, op, value)"
            )
        old.execute("CREATE TABLE radusergroup (username, groupname, priority)")
        with pytest.raises(MalformedText, match="has no users"):
            read_database(f"sqlite:///{path}")
        old.execute(
            "INSERT INTO radcheck VALUES (7, 'ada', 'Cleartext-Password', ':=', 'x')"
        )
        kept = "INSERT INTO radcheck VALUES (?, ?, 'Cleartext-Password', ':=', 'x')"
        for number, login in ((8, "bí".encode()), (9, "c\0d"), (10, b"\xff")):
            old.execute(kept, (number, login))
        old.execute("INSERT INTO radusergroup VALUES ('ada', 'home', NULL)")
        old.commit()
    tables = read_database(f"sqlite:///{path}")
    (row, octets), (member,) = tables.of("radcheck"), tables.of("radusergroup")
    assert (row.place, row.get("value")) == ("radcheck row 7", "x")
    assert octets.get("username") == "bí"
    assert tables.faults == [
        ("radcheck row 3", "It is no text."), ("radcheck row 4", "It is no text.")
    ]  # fmt: skip
    assert (member.place, member.get("priority")) == ("radusergroup row 1", "")
    with pytest.raises(MalformedText, match="cannot be read"):
        read_database(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(MalformedText, match="cannot be read") as refusal:
        read_database("postgresql://me:hidden@127.0.0.1:1/x")
    assert "hidden" not in str(refusal.value)
