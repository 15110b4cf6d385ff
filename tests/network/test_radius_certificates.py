"""The authority for Wi-Fi: made once, its certificate renewed, its keys kept private."""

from __future__ import annotations

import shutil
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.network.radius import certificates
from apps.network.radius.certificates import CertificateRefused, Folder

pytestmark = pytest.mark.unit
NAME = "radius.example.com"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder made once: keys of 3,072 bits take their time."""
    folder = Folder(tmp_path_factory.mktemp("made") / "certificates")
    certificates.prepare(folder, operator="Ọlá Net", name=NAME, now=NOW)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made.path, tmp_path / "certificates")
    return Folder(tmp_path / "certificates")


def prepare(folder, **facts):
    return certificates.prepare(folder, operator="Ọlá Net", **{"now": NOW, **facts})


def handshake(server_pem, ca, name):
    """OpenSSL on both sides, as FreeRADIUS and phones have it; raises SSLError."""
    inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inner.load_cert_chain(server_pem)
    outer = ssl.create_default_context(cafile=ca)
    pipes = [ssl.MemoryBIO() for _ in range(2)]
    client = outer.wrap_bio(pipes[0], pipes[1], server_hostname=name)
    server = inner.wrap_bio(pipes[1], pipes[0], server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.version()


def test_who_trusts_the_authority_accepts_the_server(folder):
    assert handshake(folder.server_file, folder.path / "ca.pem", NAME) == "TLSv1.3"


@pytest.mark.security
def test_who_expects_another_name_or_authority_refuses_it(folder, made, tmp_path):
    other = Folder(tmp_path / "other")
    authority = certificates.make_authority(name="Ọlá Net Wi-Fi", now=NOW)
    other.path.mkdir()
    other.keep_authority(authority)

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(folder.server_file, folder.path / "ca.pem", "radius.example.org")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(folder.server_file, other.path / "ca.pem", NAME)


@pytest.mark.security
def test_a_certificate_of_a_client_is_none_of_a_server(folder, tmp_path):
    issued = certificates.issue(folder.authority(), name=NAME, now=NOW, for_client=True)
    (tmp_path / "client.pem").write_bytes(issued.pem())

    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        handshake(tmp_path / "client.pem", folder.path / "ca.pem", NAME)


@pytest.mark.security
def test_keys_are_the_owners_alone(folder):
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.path.iterdir()}

    assert modes["authority.pem"] == modes["server.pem"] == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert set(modes) == {"authority.pem", "server.pem", "ca.pem", "ca.der"}
    assert b"PRIVATE" not in (folder.path / "ca.pem").read_bytes()


def files(folder):
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def test_again_changes_nothing(folder):
    before = files(folder)

    again = prepare(folder)

    assert not again.is_new
    assert files(folder) == before


def test_a_month_before_its_end_the_certificate_is_renewed(folder):
    before = files(folder)
    last_day = folder.server().until - timedelta(days=30)

    assert not prepare(folder, now=last_day - timedelta(hours=1)).is_new
    renewed = prepare(folder, now=last_day + timedelta(hours=1))

    after = files(folder)
    assert renewed.is_new
    assert {name for name in after if after[name] != before[name]} == {"server.pem"}
    assert renewed.server.name == NAME
    assert renewed.server.days_left(last_day) == 397
    assert certificates.is_issued_by(renewed.server, folder.authority())


def test_another_name_is_taken_when_asked_for_twice(folder):
    before = files(folder)

    with pytest.raises(CertificateRefused, match="Phones were told to expect radius"):
        prepare(folder, name="wifi.example.com")
    assert files(folder) == before

    assert prepare(folder, name="wifi.example.com", renew=True).is_new
    assert handshake(folder.server_file, folder.path / "ca.pem", "wifi.example.com")


def test_a_certificate_ends_with_its_authority(folder):
    authority = folder.authority()
    late = authority.until - timedelta(days=100)

    assert prepare(folder, now=late, renew=True).server.until == authority.until
    with pytest.raises(CertificateRefused, match="expired on"):
        prepare(folder, now=authority.until, renew=True)


def test_a_certificate_of_another_authority_is_replaced(folder):
    """What a kill between the two files leaves behind."""
    folder.keep_authority(certificates.make_authority(name="Second", now=NOW))

    assert prepare(folder).is_new
    assert handshake(folder.server_file, folder.path / "ca.pem", NAME)


def test_what_is_public_comes_back(folder):
    before = files(folder)
    for name in ("ca.pem", "ca.der"):
        (folder.path / name).unlink()

    prepare(folder)

    assert files(folder) == before


def test_a_lost_authority_is_not_made_anew(folder):
    (folder.path / "authority.pem").unlink()

    with pytest.raises(CertificateRefused, match="restore it from a copy"):
        prepare(folder)
    assert not (folder.path / "authority.pem").exists()


@pytest.mark.parametrize("file", ["authority.pem", "server.pem"])
@pytest.mark.parametrize("content", [b"", b"no PEM", "mixed"])
def test_a_broken_file_is_named_and_kept(folder, file, content):
    if content == "mixed":
        certificate = (folder.path / "ca.pem").read_bytes()
        content = folder.server().pem().split(b"-----BEGIN CERT")[0] + certificate
    (folder.path / file).write_bytes(content)

    with pytest.raises(CertificateRefused, match=file):
        prepare(folder, renew=True)
    assert (folder.path / file).read_bytes() == content


@pytest.mark.parametrize(
    "name",
    ["Radius.example.com", "a b", "-x", "x-", "a..b", "a.", "é.com", "x" * 65, "*.b.c",
     "1.2.3.4\n", "a\0"],
)  # fmt: skip
def test_names_that_no_phone_could_match_are_refused(folder, name):
    with pytest.raises(CertificateRefused, match="no name of a server"):
        prepare(folder, name=name, renew=True)


@pytest.mark.parametrize("days", [0, -1, 826])
def test_durations_that_phones_refuse_are_refused(folder, days):
    with pytest.raises(CertificateRefused, match="1 to 825 days"):
        certificates.issue(folder.authority(), name=NAME, now=NOW, days=days)


@pytest.mark.parametrize("days", [-1, 30, 826])
def test_durations_that_would_be_renewed_at_once_are_refused(folder, days):
    before = files(folder)

    with pytest.raises(CertificateRefused, match="days"):
        prepare(folder, days=days, renew=True)
    assert files(folder) == before
    assert prepare(folder, days=31, renew=True).is_new
    assert not prepare(folder).is_new


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb"])
def test_an_authority_has_a_name(name):
    with pytest.raises(CertificateRefused, match="An authority's name"):
        certificates.make_authority(name=name, now=NOW)


def test_two_at_once_make_one_authority(tmp_path):
    folder = Folder(tmp_path / "new")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(prepare, folder, name=NAME) for _ in range(4)]

    prints = {each.result().authority.fingerprint for each in asked}
    authority = folder.authority()
    assert authority is not None
    assert prints == {authority.fingerprint}
    assert sum(each.result().is_new for each in asked) == 1


def test_the_command_says_what_phones_are_given(folder, settings, capsys):
    settings.OPERATOR_NAME = "Ọlá Net"

    call_command("make_radius_certificates", f"--dir={folder.path}")

    said = capsys.readouterr().out
    assert "Nothing was changed." in said
    assert f"domain, server name {NAME}" in said
    assert folder.authority().fingerprint in said
    assert f"{folder.path / 'ca.pem'}" in said
    assert "PRIVATE" not in said


def test_the_command_renews_on_request(folder, capsys):
    before = folder.server().until

    call_command(
        "make_radius_certificates", f"--dir={folder.path}", "--renew", "--days=500"
    )

    assert "restart FreeRADIUS" in capsys.readouterr().out
    assert folder.server().days_left(timezone.now()) >= 499
    assert folder.server().until > before


def test_the_command_asks_for_a_name_the_first_time(tmp_path):
    with pytest.raises(CommandError, match="--name"):
        call_command("make_radius_certificates", f"--dir={tmp_path / 'none'}")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match="file"):
        call_command(
            "make_radius_certificates", f"--dir={tmp_path / 'file'}", f"--name={NAME}"
        )


def test_a_nas_gets_a_certificate_of_its_own_from_the_same_authority(folder, tmp_path):
    with pytest.raises(CertificateRefused, match="no authority"):
        certificates.prepare_client(Folder(tmp_path / "empty"), nas_id=7, now=NOW)

    issued, path = certificates.prepare_client(folder, nas_id=7, now=NOW)

    assert (issued.name, path.name) == ("nas-7", "nas-7.pem")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert certificates.is_issued_by(issued, folder.authority())
    assert path.read_bytes() == issued.pem()
    again, _ = certificates.prepare_client(folder, nas_id=7, now=NOW)
    assert again.fingerprint != issued.fingerprint
