"""What other RADIUS servers keep about users, read without a database."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from apps.network.rules.credentials import MalformedText
from apps.network.rules.imports import (
    Rate,
    tables_of_files,
    users_of_radius,
    users_of_user_manager,
)
from apps.network.rules.imports.people import user_of

pytestmark = pytest.mark.unit
LAGOS = ZoneInfo("Africa/Lagos")
CHECK = "id,username,attribute,op,value\n"


def csv_of(*rows: str, head: str = CHECK) -> bytes:
    numbered = head.startswith("id,")
    lines = [f"{n},{row}" if numbered else row for n, row in enumerate(rows, 1)]
    return (head + "\n".join(lines) + "\n").encode()


def radius(check=(), reply=(), groups=(), group_check=(), group_reply=()):
    head = CHECK.replace("username", "groupname")
    files = [
        ("radcheck.csv", csv_of(*check)),
        ("radreply.csv", csv_of(*reply)),
        ("radusergroup.csv", csv_of(*groups, head="username,groupname,priority\n")),
        ("radgroupcheck.csv", csv_of(*group_check, head=head)),
        ("radgroupreply.csv", csv_of(*group_reply, head=head)),
    ]
    return users_of_radius(tables_of_files(files), LAGOS)


def one(*args, **tables):
    (user,) = radius(*args, **tables)
    return user


def manager(*files):
    return users_of_user_manager(tables_of_files(list(files)), LAGOS)


ADA = "ada,Cleartext-Password,:=,right horse"


def test_a_user_with_everything_that_an_account_has_a_place_for():
    user = one(
        check=[
            ADA, "ada,Simultaneous-Use,:=,2", 'ada,Expiration,:=,"31 Dec 2027"',
            "ada,Calling-Station-Id,==,AA-BB-CC-00-11-22",
        ],
        reply=[
            "ada,Framed-IP-Address,:=,100.64.0.7",
            "ada,Delegated-IPv6-Prefix,:=,2001:db8:7::/56",
            "ada,Framed-Route,+=,198.51.100.8/29 0.0.0.0 1",
            "ada,Mikrotik-Rate-Limit,:=,5M/20M", "ada,Acct-Interim-Interval,=,600",
            "ada,Idle-Timeout,=,900", "ada,Session-Timeout,=,86400",
        ],
    )  # fmt: skip

    assert (user.login, user.password, user.faults) == ("ada", "right horse", ())
    assert user.rate == Rate(20_000, 5_000)
    assert (user.sessions_max, user.interim_s, user.idle_s) == (2, 600, 900)
    assert user.expires_at == datetime(2027, 12, 31, tzinfo=LAGOS)
    assert user.mac == "aa:bb:cc:00:11:22"
    assert user.addresses == (
        ("address", "100.64.0.7"), ("delegated", "2001:db8:7::/56"),
        ("routed", "198.51.100.8/29"),
    )  # fmt: skip
    assert "Session-Timeout 86400" in user.notes[0]
    assert user_of(json.loads(json.dumps(user.document()))) == user


def test_groups_are_merged_as_the_server_merges_them():
    """The first group ends it unless it says Fall-Through; := of a group wins."""
    tables = {
        "groups": ["ada,slow,5", "ada,home,1"],
        "group_check": ["home,Simultaneous-Use,:=,3"],
        "group_reply": [
            "home,Mikrotik-Rate-Limit,:=,10M/10M", "home,Framed-Pool,=,main",
            "slow,Mikrotik-Rate-Limit,:=,1M/1M",
        ],
    }  # fmt: skip
    mine = ["ada,Mikrotik-Rate-Limit,:=,2M/2M", "ada,Framed-Pool,=,mine"]
    user = one(check=[ADA], reply=mine, **tables)
    assert (user.rate, user.pool) == (Rate(10_000, 10_000), "mine")
    assert user.sessions_max == 3

    alone = one(check=[ADA], reply=[*mine, "ada,Fall-Through,=,No"], **tables)
    assert (alone.rate, alone.sessions_max) == (Rate(2_000, 2_000), 0)
    tables["group_reply"].append("home,Fall-Through,=,Yes")
    assert one(check=[ADA], **tables).rate == Rate(1_000, 1_000)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["ada,Crypt-Password,:=,$1$x"], "read back (Crypt-Password)"),
        (["ada,NT-Password,:=,0xAB"], "read back (NT-Password)"),
        (["ada,SSHA2-256-Password,:=,x"], "read back (SSHA2-256-Password)"),
        (["ada,Password-With-Header,:=,{crypt}x"], "read back"),
        (["ada,Cleartext-Password,=~,^r"], "compared by =~"),
        ([ADA, "ada,Cleartext-Password,:=,other"], "more than one password"),
        (["ada,Simultaneous-Use,:=,1"], "It has no password."),
        ([ADA, "ada,Auth-Type,:=,Accept"], "any password"),
        ([ADA, "ada,Auth-Type,:=,LDAP"], "Auth-Type LDAP"),
        ([ADA, "ada,NAS-Port-Type,==,Ethernet"], "NAS-Port-Type == Ethernet"),
        ([ADA, "ada,Max-All-Session,:=,3600"], "no such condition"),
        ([ADA, "ada,Calling-Station-Id,=~,^aa"], "no such condition"),
        ([ADA, "ada,Calling-Station-Id,==,nonsense"], "twelve hexadecimal"),
        ([ADA, "ada,Simultaneous-Use,:=,many"], "Simultaneous-Use is a number"),
        ([ADA, "ada,Expiration,:=,soon"], "31 Dec 2027, not soon"),
        ([ADA, "ada,Expiration,:=,31 Feb 2027"], "no such day"),
        ([ADA, "ada,Expiration,:=,31 Foo 2027"], "31 Dec 2027, not 31 Foo 2027"),
        ([ADA, "ada,Expiration,:=,31 Dec 2027 25h"], "23:59:59, not 25h"),
        ([ADA, "ada,Simultaneous-Use,??,1"], "no operator that is known: ??"),
        ([ADA, "ada,Reply-Message,:=,`date`"], "computed for each login"),
        (["a b,Cleartext-Password,:=,x"], "no spaces"),
        ([f"{'l' * 65},Cleartext-Password,:=,x"], "1 to 64 characters"),
        ([f"ada,Cleartext-Password,:=,{'p' * 129}"], "1 to 128 octets"),
    ],
)
def test_what_cannot_be_taken_over_says_why(rows, reason):
    user = one(check=rows)
    assert any(reason in fault for fault in user.faults), user.faults
    assert user.place == "radcheck.csv line 2"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ada,Framed-IP-Address,:=,100.64.0", "Framed-IP-Address cannot be read"),
        ("ada,Mikrotik-Rate-Limit,:=,fast", "Mikrotik-Rate-Limit cannot be read"),
        ("ada,WISPr-Bandwidth-Max-Up,:=,5000000", "no WISPr-Bandwidth-Max-Down"),
        ("ada,Acct-Interim-Interval,:=,5", "from 60 to 86400"),
    ],
)
def test_answers_that_cannot_be_read_say_why(row, reason):
    user = one(check=[ADA], reply=[row])
    assert len(user.faults) == 1
    assert reason in user.faults[0]


def test_what_has_no_place_in_an_account_is_kept_for_whoever_may_cover_it():
    user = one(check=[ADA], reply=["ada,Service-Type,:=,Framed-User"])
    assert user.extras == (("Service-Type", "Framed-User"),)


def test_a_user_that_was_switched_off_stays_so():
    user = one(
        check=[ADA],
        groups=["ada,daloRADIUS-Disabled-Users,0"],
        group_check=["daloRADIUS-Disabled-Users,Auth-Type,:=,Reject"],
    )
    assert user.switched_off
    assert not user.faults
    clear = one(check=["ada,Password-With-Header,:=,{clear}a}b"])
    assert clear.password == "a}b"
    chosen = one(check=[ADA], reply=["ada,Framed-IP-Address,:=,255.255.255.254"])
    assert chosen.addresses == ()
    assert "NAS chooses" in chosen.notes[0]


def test_nothing_that_was_read_is_lost():
    """Rows of nobody, doubles by case, lines that are no CSV: each has its place."""
    users = radius(
        check=[ADA, "Ada,Cleartext-Password,:=,x"],
        reply=["bola,Framed-Pool,=,x"],
        groups=["bola,home,1", "chi,home,1"],
    )
    assert [user.login for user in users] == ["ada", "Ada", "bola", "chi"]
    assert "Only case sets it apart from ada" in users[1].notes[0]
    assert [user.place for user in users[2:]] == [
        "radreply.csv line 2", "radusergroup.csv line 3",
    ]  # fmt: skip
    assert all("no such user" in user.faults[0] for user in users[2:])

    broken = csv_of(ADA, 'b,Cleartext-Password,:=,"x"y', "short,line")
    tables = tables_of_files([("radcheck.csv", broken), ("notes.txt", b"hello")])
    assert [place for place, _ in tables.faults] == [
        "radcheck.csv line 3", "radcheck.csv line 4",
    ]  # fmt: skip
    assert tables.left == ["notes.txt"]
    latin = tables_of_files(
        [("radcheck.csv", csv_of(ADA)), ("radreply.csv", CHECK.encode() + b"\xff")]
    )
    assert latin.faults == [
        (
            "radreply.csv line 2",
            "The file is not UTF-8: save it as UTF-8, then read it again.",
        )
    ]
    binary = tables_of_files([("radcheck.csv", csv_of(ADA)), ("x.csv", b"a\0b")])
    assert binary.faults == [("x.csv", "The file is no text.")]


def test_dumps_without_a_heading_and_zips_are_read_alike():
    rows = b"1;ada;Cleartext-Password;:=;right horse\n"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("dump/", "")
        archive.writestr("dump/radcheck.csv", rows)
        archive.writestr("dump/userinfo.csv", "id,username,firstname\n1,ada,Ada\n")
    tables = tables_of_files([("all.zip", kept.getvalue())])
    (user,) = users_of_radius(tables, LAGOS)
    assert (user.login, user.password) == ("ada", "right horse")
    assert tables.left == ["userinfo.csv"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            [("radcheck.csv", b"username,attribute\n\xe9,x\n")],
            "csv line 2: .* not UTF-8",
        ),
        ([("x.csv", b"")], "no users in it"),
        ([("x.csv", b"a,b\n1,2\n")], "no users in it"),
        ([("x.zip", b"PK\x03\x04 not really")], "no zip that can be opened"),
    ],
)
def test_files_of_which_nothing_can_be_made_are_refused(files, reason):
    with pytest.raises(MalformedText, match=reason):
        tables_of_files(files)


def test_too_much_is_refused(monkeypatch):
    from apps.network.rules.imports import files

    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("radcheck.csv", b"0" * 5000)
    monkeypatch.setattr(files, "BYTES_MAX", 4000)
    with pytest.raises(MalformedText, match="MB at once"):
        tables_of_files([("bomb.zip", kept.getvalue())])
    monkeypatch.setattr(files, "BYTES_MAX", 10_000)
    monkeypatch.setattr(files, "FILES_MAX", 0)
    with pytest.raises(MalformedText, match="At most 0 files"):
        tables_of_files([("many.zip", kept.getvalue())])
    monkeypatch.setattr(files, "ROWS_MAX", 1)
    with pytest.raises(MalformedText, match="At most 1 rows"):
        radius(check=[ADA, "b,Cleartext-Password,:=,x"])


V6 = (
    b"username,password,customer,actual-profile,shared-users,caller-id,ip-address,"
    b"pool-name,disabled,uptime-used,till-time\n"
    b"ada,right horse,admin,Home,2,AA:BB:CC:00:11:22,100.64.0.7,,no,1w,"
    b"dec/31/2027 12:30:00\n"
    b"bola,x,admin,,unlimited,bind,0.0.0.0,main,yes,0s,\n"
    b"ada,again,admin,,1,,,,no,0s,\n"
)


def test_users_of_version_6_with_the_speeds_of_their_profiles():
    limits = (
        b"name,rate-limit-rx,rate-limit-tx,rate-limit-burst-rx,rate-limit-burst-tx,"
        b"rate-limit-burst-threshold-rx,rate-limit-burst-threshold-tx,"
        b"rate-limit-burst-time-rx,rate-limit-burst-time-tx,rate-limit-priority\n"
        b"5/20,5M,20M,6M,25M,4M,15M,8s,8s,1\n"
    )
    link = b"profile,limitation\nHome,5/20\n"
    ada, bola, twice = manager(
        ("users.csv", V6), ("limits.csv", limits), ("links.csv", link)
    )
    assert ada.rate == Rate(20_000, 5_000, 25_000, 6_000, 15_000, 4_000, 8, 1)
    assert (ada.sessions_max, ada.mac) == (2, "aa:bb:cc:00:11:22")
    assert ada.addresses == (("address", "100.64.0.7"),)
    assert ada.expires_at == datetime(2027, 12, 31, 12, 30, tzinfo=LAGOS)
    assert ada.faults == ()
    assert bola.switched_off
    assert bola.pool == "main"
    assert bola.sessions_max == 0
    assert "binds itself" in bola.faults[0]
    assert twice.faults == ("The login comes twice, first in users.csv line 2.",)


def test_users_of_version_7_as_csv():
    users = (
        b"name,password,group,shared-users,attributes,caller-id,disabled,otp-secret\n"
        b'ada,right horse,default,1,"Framed-IP-Address:100.64.0.7,'
        b'Mikrotik-Rate-Limit:5M/20M,Mikrotik-Group:vip",,false,\n'
        b"bola,x,default,1,,,false,JBSW\n"
        b"chi,x,default,many,nonsense,,false,\n"
    )
    given = (
        b"user,profile,state,end-time\nada,Old,used,2020-01-01 00:00:00\n"
        b"ada,Home,running-active,2027-12-31 12:30:00\n"
    )
    ada, bola, chi = manager(("u.csv", users), ("given.csv", given))
    assert ada.rate == Rate(20_000, 5_000)
    assert ada.extras == (("Mikrotik-Group", "vip"),)
    assert ada.expires_at == datetime(2027, 12, 31, 12, 30, tzinfo=LAGOS)
    assert "profile Home was not in the file" in ada.notes[0]
    assert "one-time code" in bola.faults[0]
    assert len(chi.faults) == 2


def test_an_export_and_a_print_of_routeros_are_read():
    export = b"""# by RouterOS 7.15
/user-manager limitation
add name=l1 rate-limit-rx=5M rate-limit-tx=20M
add name=l2 rate-limit-rx=1M rate-limit-tx=1M uptime-limit=1h
/user-manager profile
add name=Home validity=unlimited
/user-manager profile-limitation
add limitation=l1 profile=Home
add limitation=l1 profile=Two
add limitation=l2 profile=Two
/user-manager user
add attributes=Framed-IP-Address:100.64.0.7 name=ada \\
    password="right \\"horse\\""
add disabled=yes name=bola password=x
add name=none
/user-manager user-profile
add profile=Home user=ada
add profile=Two user=bola
"""
    ada, bola, none = manager(("export.rsc", export))
    assert (ada.password, ada.rate) == ('right "horse"', Rate(20_000, 5_000))
    assert ada.place == "export.rsc line 12"
    assert bola.switched_off
    assert bola.faults == (
        "Its profile Two has several speeds, by time or day.",
        "A limit of its profile is not kept: uptime-limit.",
    )
    assert none.faults == ("It has no password.",)

    printed = b"""Flags: X - disabled
 0   ;;; a comment
     name="ada" password="right horse" shared-users=1
     caller-id="" attributes=""
 1 X name="bola" password="x" shared-users=unlimited download-limit=1G
"""
    ada, bola = manager(("print.txt", printed))
    assert (ada.login, ada.password, ada.switched_off) == ("ada", "right horse", False)
    assert bola.switched_off
    assert bola.faults == ("A limit is not kept: download-limit 1G.",)


def test_a_script_of_one_line_and_a_limitation_without_a_speed():
    script = b"""a note of somebody
/user-manager limitation add name=l1 uptime-limit=0s
/user-manager profile-limitation add profile=Home limitation=l1
/user-manager user-profile add user=ada profile=Home
/user-manager user add name=ada password=x
"""
    (ada,) = manager(("script.rsc", script))
    assert (ada.rate, ada.faults, ada.notes) == (None, (), ())


def test_what_is_said_twice_is_told_once():
    user = one(
        check=[
            "'ada',NT-Password,:=,0xAB", "'ada',NT-Password,:=,0xAC",
            "'ada',Auth-Type,:=,Local",
        ],
        reply=[
            "'ada',Framed-IP-Address,+=,255.255.255.254",
            "'ada',Framed-IP-Address,+=,255.255.255.254",
            "'ada',Framed-Route,+=,198.51.100.8/29 0.0.0.0 1",
            "'ada',Framed-Route,+=,198.51.100.8/29 100.64.0.7 1",
        ],
    )  # fmt: skip
    assert (len(user.faults), len(user.notes), len(user.addresses)) == (1, 1, 1)
    assert user_of(json.loads(json.dumps(user.document()))) == user
    quoted = one(check=["ada,Cleartext-Password,:=,'right horse'"])
    assert quoted.password == "right horse"


def test_users_without_any_password_are_all_there():
    (user,) = manager(("u.csv", b"name,shared-users\nada,1\n"))
    assert user.faults == ("It has no password.",)
    (empty,) = manager(("u.csv", b"name,password\nada,\n"))
    assert "1 to 128 octets" in empty.faults[0]
