"""The folder that FreeRADIUS reads: whole, private, and free of surprises."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.network.radius import certificates, freeradius
from apps.network.radius.database import RadiusDatabase, session_settings
from dotmac.core.crypto import Key, Keyring
from tests.programs import RADIUS_SERVER, need

pytestmark = pytest.mark.unit
KEYS = Keyring([Key.derive(1, bytes(32)), Key.derive(2, bytes(range(32)))])
TEMPLATES = django_settings.BASE_DIR / "deploy" / "freeradius"
URL = "postgresql://radius:p%3A%5C%40ss@db.example:5433/dot%20mac"


def write(folder, url=URL, **listen):
    facts = {
        "host": "127.0.0.1", "auth_port": 18120, "acct_port": 18130,
        "decisions": folder.parent / "decisions", **listen,
    }  # fmt: skip
    freeradius.write_configuration(
        folder,
        templates=TEMPLATES,
        database=RadiusDatabase.from_url(url),
        listen=freeradius.ListenSettings(**facts),
        options=session_settings(KEYS, "Africa/Lagos"),
    )


@pytest.fixture
def freeradius_there():
    need(*RADIUS_SERVER)


needs_freeradius = pytest.mark.usefixtures("freeradius_there")


@needs_freeradius
def test_every_file_is_the_owners_alone(tmp_path):
    write(tmp_path / "radius")

    paths = [tmp_path / "radius", *(tmp_path / "radius").iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in paths} == {0}


@needs_freeradius
def test_secrets_stand_in_their_two_files_only(tmp_path):
    write(tmp_path)

    for path in tmp_path.iterdir():
        text = path.read_text()
        assert ("p:\\@ss" in text or "p\\:\\\\@ss" in text) is (path.name == "pgpass")
        assert (KEYS.current.session_value in text) is (path.name == "service.conf")
    line = (tmp_path / "pgpass").read_text()
    assert line == "db.example:5433:dot mac:radius:p\\:\\\\@ss\n"


@needs_freeradius
def test_the_command_writes_and_says_how_to_run_it(tmp_path, settings, capsys):
    settings.RADIUS_DATABASE_URL = URL
    settings.RADIUS_DECISIONS_DIR = tmp_path / "decisions"

    call_command("write_freeradius_config", f"--dir={tmp_path / 'radius'}")

    said = capsys.readouterr().out
    assert str(tmp_path / "radius" / "environment") in said
    assert " ".join(freeradius.run_command(tmp_path / "radius")) in said
    assert (tmp_path / "decisions").is_dir()


@needs_freeradius
@pytest.mark.parametrize("state", ["good", "broken", "none"])
def test_the_command_takes_a_certificate_that_can_be_read(
    tmp_path, settings, capsys, certificates_folder, state
):
    """A broken one would keep FreeRADIUS from starting, and everybody out."""
    settings.RADIUS_DATABASE_URL = URL
    settings.RADIUS_DECISIONS_DIR = tmp_path / "decisions"
    settings.RADIUS_CERTIFICATES_DIR = tmp_path / "certificates"
    if state != "none":
        shutil.copytree(certificates_folder, tmp_path / "certificates")
    if state == "broken":
        (tmp_path / "certificates" / "server.pem").write_text("no PEM")

    call_command("write_freeradius_config", f"--dir={tmp_path / 'radius'}")

    assert (tmp_path / "radius" / "eap.conf").exists() is (state == "good")
    said = capsys.readouterr().err
    assert ("runs without Wi-Fi logins" in said) is (state == "broken")


@pytest.mark.parametrize("command", ["write_freeradius_config", "run_radius_server"])
def test_without_the_roles_url_a_server_does_not_start(settings, command):
    settings.RADIUS_DATABASE_URL = ""

    with pytest.raises(CommandError, match="RADIUS_DATABASE_URL"):
        call_command(command)


@needs_freeradius
def test_a_bad_network_is_a_sentence(tmp_path, settings):
    settings.RADIUS_DATABASE_URL = URL
    settings.RADIUS_DECISIONS_DIR = tmp_path / "decisions"

    with pytest.raises(CommandError, match="does not appear to be"):
        call_command(
            "write_freeradius_config", f"--dir={tmp_path}", "--networks", "everywhere"
        )


def test_a_port_in_use_is_a_sentence(settings):
    settings.RADIUS_DATABASE_URL = URL
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(CommandError, match="Cannot listen"):
            call_command("run_radius_server", "--host=127.0.0.1", f"--auth-port={port}")
        with pytest.raises(CommandError, match="Cannot listen"):
            call_command(
                "run_radius_server", "--host=127.0.0.1", "--auth-port=0",
                f"--acct-port={port}",
            )  # fmt: skip


@needs_freeradius
def test_tls_settings_of_the_url_reach_libpq(tmp_path):
    write(tmp_path, url=f"{URL}?sslmode=verify-full&sslrootcert=/ca.pem&x=1")

    environment = freeradius.run_environment(tmp_path)
    assert environment["PGSSLMODE"] == "verify-full"
    assert environment["PGSSLROOTCERT"] == "/ca.pem"
    assert set(environment) & {"PGX", "PGPASSWORD"} == set()


@needs_freeradius
def test_writing_again_replaces_and_leaves_no_drafts(tmp_path):
    write(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}

    write(tmp_path, auth_port=18999)

    assert {path.name for path in tmp_path.iterdir()} == before
    assert "port = 18999" in (tmp_path / "sites.conf").read_text()


@pytest.fixture(scope="module")
def certificates_folder(tmp_path_factory):
    made = certificates.Folder(tmp_path_factory.mktemp("radius") / "certificates")
    certificates.prepare(
        made, operator="ISP", name="radius.example.com", now=timezone.now()
    )
    return made.path


@pytest.fixture(params=["whole", "plain"])
def shape(request, certificates_folder, tmp_path_factory):
    """Arguments of `write`: with EAP and buffered accounting, or without both."""
    if request.param == "plain":
        return {}
    folder = tmp_path_factory.mktemp("waiting") / "accounting"
    return {"certificates": certificates_folder, "buffer": folder}


@needs_freeradius
def test_every_file_of_the_folder_is_written_and_read_once(tmp_path, shape):
    write(tmp_path, **shape)

    lines = [
        line.strip().split()
        for path in tmp_path.glob("*.conf")
        for line in path.read_text().splitlines()
    ]
    always = [words[1] for words in lines if words[:1] == ["$INCLUDE"]]
    if_there = [words[1] for words in lines if words[:1] == ["$-INCLUDE"]]
    ours = {path.name for path in TEMPLATES.iterdir()} - {"radiusd.conf"}
    optional = {*freeradius.CERTIFIED_FILES, *freeradius.BUFFER_FILES}
    written = {path.name for path in tmp_path.glob("*.conf")}
    written -= {"radiusd.conf", freeradius.SERVICE_FILE}
    assert len(always) == len(set(always))
    # How accounting is answered: the one or the other.
    stores = {"direct.conf", "buffer.conf"}
    assert len(stores & set(always)) == 1
    assert set(if_there) == optional - stores
    assert ours - optional - stores == set(always) - stores
    assert written == (ours if shape else ours - optional)


@needs_freeradius
def test_without_its_certificate_eap_leaves_the_folder_again(
    tmp_path, certificates_folder
):
    write(tmp_path, certificates=certificates_folder)
    write(tmp_path)

    for name in freeradius.CERTIFIED_FILES:
        assert not (tmp_path / name).exists()


@needs_freeradius
def test_radsec_is_there_with_a_certificate_and_a_port(tmp_path, certificates_folder):
    write(tmp_path, certificates=certificates_folder)
    assert "port = 2083" in (tmp_path / "radsec.conf").read_text()

    write(tmp_path, certificates=certificates_folder, radsec_port=0)
    assert not (tmp_path / "radsec.conf").exists()
    assert (tmp_path / "eap.conf").exists()


@needs_freeradius
def test_buffered_accounting_has_a_private_folder_and_a_memory(tmp_path):
    waiting = tmp_path / "accounting"
    write(tmp_path / "radius", buffer=waiting)
    memory = tmp_path / "radius" / freeradius.REMEMBERED
    with closing(sqlite3.connect(memory)) as nases, nases:
        nases.execute("INSERT INTO nases VALUES ('10.0.0.1', 'yes nas-1 secret')")
    write(tmp_path / "radius", buffer=waiting)

    assert stat.S_IMODE(waiting.stat().st_mode) == 0o700
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    with closing(sqlite3.connect(memory)) as nases:
        assert nases.execute("SELECT count(*) FROM nases").fetchone() == (1,)
    # Kept where PostgreSQL's absence is to be outlived, and nowhere else.
    write(tmp_path / "radius")
    assert not memory.exists()
    names = {path.name for path in (tmp_path / "radius").iterdir()}
    assert not names & set(freeradius.BUFFER_FILES)


@needs_freeradius
def test_several_hosts_reach_libpq_in_its_own_words(tmp_path):
    url = "postgresql://radius:p%3Ass@db1:5433,[2001:db8::1],10.0.0.3:5434/dotmac"
    write(tmp_path, url=url)

    environment = freeradius.run_environment(tmp_path)
    assert environment["PGHOST"] == "db1,2001:db8::1,10.0.0.3"
    assert environment["PGPORT"] == "5433,5432,5434"
    assert environment["PGTARGETSESSIONATTRS"] == "read-write"
    assert (tmp_path / "pgpass").read_text().splitlines() == [
        "db1:5433:dotmac:radius:p\\:ss",
        "2001\\:db8\\:\\:1:5432:dotmac:radius:p\\:ss",
        "10.0.0.3:5434:dotmac:radius:p\\:ss",
    ]
    service = (tmp_path / "service.conf").read_text()
    assert "connect_timeout=3\n" in service
    assert "tcp_user_timeout=6000\n" in service
    chosen = RadiusDatabase.from_url(f"{url}?target_session_attrs=any&x=1")
    assert chosen.tls == (("target_session_attrs", "any"),)
    assert RadiusDatabase.from_url(URL).tls == ()
    with pytest.raises(ValueError, match=r"[Pp]ort"):
        RadiusDatabase.from_url("postgresql://radius@db:port/dotmac")


@needs_freeradius
@pytest.mark.security
def test_the_tunnel_is_told_of_the_line_whatever_the_database_asks_for():
    """What a subscriber wrote into the tunnel must not stand in for the NAS's word."""
    lines = (TEMPLATES / "sql.conf").read_text().splitlines()
    (query,) = (line for line in lines if "authorize_reply_query =" in line)
    asked = set(re.findall(r"(?:&|%{)([A-Z][A-Za-z0-9-]+)}", query))
    inner = (TEMPLATES / "inner.conf").read_text()

    of_the_packet = {"User-Name", "Packet-Src-IP-Address", "Packet-Src-IPv6-Address"}
    assert len(asked) > len(of_the_packet)
    for name in asked - of_the_packet:
        assert f"&{name} !* ANY" in inner
        assert f"&{name} := &outer.request:{name}\n" in inner


@needs_freeradius
def test_nothing_is_left_to_be_filled_in(tmp_path, shape):
    write(tmp_path, **shape)

    for path in tmp_path.glob("*.conf"):
        assert not re.search(r"@[A-Z_]+@", path.read_text()), path.name


@needs_freeradius
def test_freeradius_itself_finds_no_fault(tmp_path, shape):
    networks = tuple(django_settings.RADIUS_NETWORKS)
    # Of single addresses the daemon wants to know nothing.
    networks += ("192.0.2.1/32", "198.51.100.0/24", "2001:db8::/32")
    write(
        tmp_path, networks=networks, more_hosts=("::1", "127.11.0.1"), threads=3,
        **shape,
    )  # fmt: skip

    done = subprocess.run(
        [*freeradius.run_command(tmp_path), "-C"],
        env=freeradius.run_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@needs_freeradius
@pytest.mark.parametrize(
    "listen",
    [
        {"networks": ("10.0.0.1/8",)},
        {"networks": ("10.0.0.0/8 }",)},
        {"host": '127.0.0.1"\nport = 1'},
        {"more_hosts": ("::1\n\tport = 1",)},
    ],
)
def test_a_value_cannot_become_configuration(tmp_path, listen):
    with pytest.raises(ValueError, match=r"host bits|not appear|no place"):
        write(tmp_path, **listen)


def test_without_freeradius_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(freeradius, "MODULES", (tmp_path,))

    with pytest.raises(freeradius.FreeRadiusMissing, match="apt-get install"):
        write(tmp_path)


def test_the_password_is_not_shown_with_the_database():
    assert "@ss" not in repr(RadiusDatabase.from_url(URL))
