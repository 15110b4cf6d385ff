"""A site that is cut off: whom it still lets in, and which files it does not believe."""

from __future__ import annotations

import io
import os
import stat
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.network import operations
from apps.network.models import AccessAccount, Nas, SessionLive
from apps.network.radius import snapshot
from apps.network.radius.buffer import Buffer
from apps.network.radius.buffered import KnownNases
from apps.network.radius.cutoff import CutOffSession, Fallback
from apps.network.radius.database import (
    AccessFacts,
    AccountingFacts,
    RadiusDatabase,
    RadiusSession,
    encoded,
    session_settings,
)
from apps.network.radius.replay import Replay
from apps.network.radius.snapshot import (
    Centre,
    Known,
    KnownNas,
    Shelf,
    Snapshot,
    SnapshotRefused,
)
from dotmac.core.actors import system_actor
from dotmac.core.models import keyring

NOW = 1_800_000_000
NAS, MAC = "127.12.1.1", "aa:bb:cc:dd:ee:01"
NOBODY = "postgresql://radius:x@127.0.0.1:9/none"
FACTS: dict[str, Any] = {"actor": system_actor("snapshot")}
SIGNING, KEY = Ed25519PrivateKey.generate(), os.urandom(32)
ROWS = [
    ("Cleartext-Password", "'opens-sesame'", ":="),
    ("Tmp-String-1", "open", ":="),
    ("Session-Timeout", "5000", ":="),
]


def made(**changed) -> Snapshot:
    ada = Known(mac_lock="", expires_at=None, rows={NAS: ROWS})
    subscribers = {
        "ada": ada,
        "bob": replace(ada, mac_lock=MAC),
        "eve": replace(ada, expires_at=NOW + 5000),
        "old": replace(ada, expires_at=NOW - 5),
        "mallory": replace(
            ada, rows={NAS: [("Auth-Type", "Reject", ":="), ("Tmp-String-1", "hold", ":=")]}
        ),
    }  # fmt: skip
    return Snapshot(**{
        "sequence": 3, "made_at": NOW, "valid_until": NOW + 6000,
        "nases": {NAS: KnownNas("nas-1", "secret", True)}, "subscribers": subscribers,
        **changed,
    })  # fmt: skip


def opened(data, *, public=None, key=KEY, now=NOW + 10, least=0) -> Snapshot:
    public = public or SIGNING.public_key()
    return snapshot.opened(data, public=public, key=key, now=now, least=least)


@pytest.mark.unit
def test_what_is_sealed_is_opened_and_says_nothing_to_others():
    data = snapshot.sealed(made(), signing=SIGNING, key=KEY)

    assert opened(data) == made()
    assert opened(data, least=3) == made()
    for secret in (b"opens-sesame", b"secret", b"ada", NAS.encode()):
        assert secret not in data


@pytest.mark.unit
@pytest.mark.security
def test_no_other_file_is_believed():
    data = snapshot.sealed(made(), signing=SIGNING, key=KEY)
    for place in range(0, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(SnapshotRefused, match="signature"):
            opened(bytes(changed))
    for cut in (0, 10, 60, 82, 83, len(data) - 1):
        with pytest.raises(SnapshotRefused, match="signature"):
            opened(data[:cut])
    with pytest.raises(SnapshotRefused, match="signature"):
        opened(data, public=Ed25519PrivateKey.generate().public_key())
    with pytest.raises(SnapshotRefused, match="another site"):
        opened(data, key=os.urandom(32))
    with pytest.raises(SnapshotRefused, match="over"):
        opened(data, now=NOW + 6000)
    with pytest.raises(SnapshotRefused, match="newer"):
        opened(data, least=4)


def asked(login, mac="", now=NOW + 100, nas=NAS):
    return snapshot.answer(made(), login=login, nas=nas, mac=mac, now=now)


@pytest.mark.unit
def test_the_answer_is_that_of_then_as_far_as_it_can_be():
    facts = {name: value for name, value, _ in asked("ada")}
    assert facts == {
        "Cleartext-Password": "'opens-sesame'", "Tmp-String-1": "cached", "Session-Timeout": "5000",
    }  # fmt: skip
    # Runs until the line expires, which has come nearer.
    assert ("Session-Timeout", "4900", ":=") in asked("eve")
    assert asked("eve", now=NOW + 5000) is None
    # In the walled garden when it was made, as the rows say.
    assert ("Session-Timeout", "5000", ":=") in asked("old")
    assert asked("bob", mac="AA-BB-CC-DD-EE-01")[1][1] == "cached"
    for mac in ("", "aa:bb:cc:dd:ee:02"):
        assert dict(row[:2] for row in asked("bob", mac=mac)) == {
            "Auth-Type": "Reject", "Tmp-String-1": "mac",
        }  # fmt: skip
    assert ("Tmp-String-1", "hold", ":=") in asked("mallory", now=NOW + 5999)
    assert asked("new") is None
    assert asked("ada", nas="127.12.1.2") is None
    assert asked("ada", now=NOW + 6000) is None


@pytest.mark.unit
def test_a_shelf_takes_newer_files_and_never_an_older_one(tmp_path):
    centre = Centre(tmp_path / "snapshots", "site-1")
    first = centre.keep(made(sequence=centre.next_sequence()))
    old = first.read_bytes()
    shelf = Shelf(first)
    assert shelf.read(NOW).sequence == 1
    assert centre.next_sequence() == 2
    centre.keep(made(sequence=2, valid_until=NOW + 50))
    assert shelf.read(NOW).sequence == 2
    with pytest.raises(SnapshotRefused, match="over"):
        shelf.read(NOW + 50)

    snapshot.write_private(first, old)
    for reader in (shelf, Shelf(first)):
        with pytest.raises(SnapshotRefused, match="newer"):
            reader.read(NOW)
    first.unlink()
    with pytest.raises(SnapshotRefused, match="no file"):
        shelf.read(NOW)
    for path in (tmp_path / "snapshots").rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077


@pytest.mark.unit
@pytest.mark.security
def test_keys_that_are_open_or_none_are_refused(tmp_path):
    key = tmp_path / "site.key"
    with pytest.raises(SnapshotRefused, match="no key"):
        snapshot.read_key(key)
    for text in ("zz", "00" * 31):
        snapshot.write_private(key, text.encode())
        with pytest.raises(SnapshotRefused, match="no key"):
            snapshot.read_key(key)
    key.chmod(0o640)
    with pytest.raises(SnapshotRefused, match="chmod 600"):
        snapshot.read_key(key)
    public = tmp_path / "signing.pub"
    for text in (
        "no PEM",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"
        "-----END PUBLIC KEY-----\n",
    ):
        public.write_text(text)
        with pytest.raises(SnapshotRefused, match="no key"):
            snapshot.read_public(public)


def options() -> str:
    return session_settings(keyring(), "UTC")


@pytest.fixture
def site(own_database, settings, tmp_path):
    """A site with a NAS, and Ada on line there with a session; Bob was never there."""
    settings.RADIUS_DATABASE_URL = os.environ["RADIUS_DATABASE_URL"]
    settings.RADIUS_SNAPSHOTS_DIR = tmp_path / "snapshots"
    now = timezone.now()
    place = operations.create_site(name="Hill", now=now, **FACTS)
    operations.create_nas(name="n", address=NAS, site_id=place.pk, now=now, **FACTS)
    speed = operations.create_rate_profile(
        name="p", down_kbps=1, up_kbps=1, now=now, **FACTS
    )
    for login in ("ada", "bob"):
        operations.open_access(
            login=login, password="pw", profile_id=speed.pk, now=now,
            expires_at=now + timedelta(hours=2), **FACTS,
        )  # fmt: skip
    session = RadiusSession(
        RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL), options
    )
    session.account(accounting("Start", login="ada", session="s1", mac=MAC))
    session.close()
    return place


def accounting(status, *, login, session, mac="", **facts) -> AccountingFacts:
    return AccountingFacts(
        status=status, login=encoded(login.encode()), nas=NAS,
        session=encoded(session.encode()), mac=encoded(mac.encode()), **facts,
    )  # fmt: skip


def access(login, mac="") -> AccessFacts:
    return AccessFacts(
        login=encoded(login.encode()), nas=NAS, mac=encoded(mac.encode())
    )


def cut_off(path, folder) -> CutOffSession:
    return CutOffSession(
        RadiusDatabase.from_url(NOBODY), options, buffer=Buffer(folder),
        known=KnownNases(), fallback=Fallback(Shelf(path)),
    )  # fmt: skip


@pytest.mark.integration
def test_a_cut_off_site_lets_in_whom_it_knows(site, settings, tmp_path):
    out = io.StringIO()
    call_command("write_radius_snapshot", f"--site={site.pk}", stdout=out)
    path = settings.RADIUS_SNAPSHOTS_DIR / f"site-{site.pk}" / "snapshot"
    assert f"{path}: sequence 1, 1 NASes, 1 subscribers" in out.getvalue()
    waiting = tmp_path / "waiting"
    away = cut_off(path, waiting)

    client = away.client(NAS)
    assert client is not None
    assert client.name == f"nas-{Nas.objects.get().pk}-1", "with its secret's version"
    rows = {name: value for name, value, _ in away.authorize(access("ada"))}
    assert rows["Cleartext-Password"] == "'pw'"
    assert rows["Tmp-String-1"] == "cached"
    assert rows["Class"] == str(AccessAccount.objects.get(login="ada").pk)
    assert 0 < int(rows["Session-Timeout"]) <= 2 * 3600
    for nobody in ("bob", "new", ""):
        with pytest.raises(psycopg.Error):
            away.authorize(access(nobody))
    with pytest.raises(psycopg.Error):
        away.client("127.12.1.9")

    # What it noted meanwhile comes home once, however often it is brought.
    then = int(time.time()) - 3600
    told = accounting(
        "Interim-Update", login="ada", session="s2", seconds="60", octets_in="700"
    )
    for _ in range(2):
        assert away.account(told)
    (file,) = waiting.glob("*.acct")
    file.rename(waiting / f"{then // 10}.acct")
    replay = Replay(
        waiting, database=RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL),
        options=options, readers=2,
    )  # fmt: skip
    assert replay.round()
    replay.close()
    assert SessionLive.objects.get(acct_session_id="s2").octets_in == 700


@pytest.mark.integration
def test_a_hold_of_then_refuses_and_postgresql_comes_first(site, settings, tmp_path):
    ada = AccessAccount.objects.get(login="ada")
    operations.place_hold(
        account_id=ada.pk, reason="admin", effect="reject", now=timezone.now(), **FACTS
    )
    call_command("write_radius_snapshot", f"--site={site.pk}", "--hours=1")
    operations.lift_hold(account_id=ada.pk, reason="admin", now=timezone.now(), **FACTS)
    path = settings.RADIUS_SNAPSHOTS_DIR / f"site-{site.pk}" / "snapshot"

    rows = cut_off(path, tmp_path / "waiting").authorize(access("ada"))
    assert ("Tmp-String-1", "hold:admin") in [row[:2] for row in rows]
    here = CutOffSession(
        RadiusDatabase.from_url(settings.RADIUS_DATABASE_URL), options,
        buffer=Buffer(tmp_path / "waiting"), known=KnownNases(),
        fallback=Fallback(Shelf(path)),
    )  # fmt: skip
    rows = here.authorize(access("ada", mac=MAC))
    assert ("Tmp-String-1", "open") in [row[:2] for row in rows]
    here.close()
    path.write_bytes(b"no snapshot")
    with pytest.raises(psycopg.Error):
        cut_off(path, tmp_path / "waiting").authorize(access("ada"))


@pytest.mark.integration
def test_the_command_says_what_it_needs(site, settings):
    with pytest.raises(CommandError, match="no enabled NAS"):
        call_command("write_radius_snapshot", "--site=999")
    for hours in (0, 169):
        with pytest.raises(CommandError, match="1 to 168"):
            call_command(
                "write_radius_snapshot", f"--site={site.pk}", f"--hours={hours}"
            )
    settings.RADIUS_DATABASE_URL = ""
    with pytest.raises(CommandError, match="RADIUS_DATABASE_URL"):
        call_command("write_radius_snapshot", f"--site={site.pk}")


@pytest.mark.unit
def test_a_snapshot_needs_buffered_accounting(settings, tmp_path):
    settings.RADIUS_DATABASE_URL = NOBODY
    with pytest.raises(CommandError, match="buffered"):
        call_command("run_radius_server", f"--snapshot={tmp_path / 'snapshot'}")
