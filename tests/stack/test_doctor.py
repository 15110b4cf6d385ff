"""The doctor names what is wrong, and is quiet where all is well."""

import os
import shutil
import socket
from datetime import UTC, datetime, timedelta

import pytest

from apps.network.radius.certificates import Folder, prepare
from dotmac.devtools import doctor
from dotmac.devtools.doctor import Verdict
from dotmac.devtools.installation import open_installation

pytestmark = pytest.mark.integration


@pytest.fixture
def installation(tmp_path):
    made = open_installation(tmp_path / "state")
    made.secret("encryption.key")
    return made


@pytest.fixture
def settings(own_database):
    return {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}


def wrong(installation, settings):
    found = doctor.examine(installation.root, settings)
    return [each.sentence for each in found if each.verdict == Verdict.BAD]


def test_a_healthy_installation_has_nothing_wrong(installation, settings):
    assert wrong(installation, settings) == []


def test_a_machine_without_installation_is_told_how_to_make_one(tmp_path):
    found = doctor.examine(tmp_path / "none", {})
    assert any("scripts/start.py makes one" in each.sentence for each in found)


def test_open_and_missing_secrets_are_named(installation, settings):
    installation.secret("jwt.key")
    (installation.secrets / "jwt.key").chmod(0o640)
    (installation.secrets / "encryption.key").unlink()
    installation.postgres.mkdir()
    (installation.postgres / "PG_VERSION").write_text("17")
    installation.root.chmod(0o755)
    said = "\n".join(wrong(installation, settings))
    assert "run chmod 700" in said
    assert "jwt.key is open to other users" in said
    assert "encryption.key is missing" in said
    assert "Cannot read the key file" in said


def test_servers_that_do_not_answer_are_named(installation):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        nowhere = {
            "DATABASE_URL": f"postgresql://x@127.0.0.1:{port}/x",
            "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        }
        postgres, redis = wrong(installation, nowhere)
    assert postgres.startswith("PostgreSQL does not answer")
    assert redis.startswith("Redis does not answer")


def test_programs_that_do_not_answer_are_named_with_their_logs(installation, settings):
    installation.write_ready({"version": "0"})
    (installation.logs / "web.log").write_text("address already in use\n")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        told = {
            **settings,
            "BASE_URL": f"http://127.0.0.1:{closed.getsockname()[1]}",
            "RADIUS_HOST": "127.0.0.1",
            "RADIUS_AUTH_PORT": str(closed.getsockname()[1]),
        }
        said = wrong(installation, told)
    assert "address already in use" in next(s for s in said if s.startswith("Web"))
    assert any(s.startswith("RADIUS does not answer") for s in said)


NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def wifi(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("wifi") / "radius-certificates")
    prepare(folder, operator="ISP", name="radius.example.com", now=NOW)
    return folder


def said_of(folder, **later):
    found = doctor.certificates(folder, NOW + timedelta(**later))
    return [(each.verdict, each.sentence) for each in found]


def test_the_end_of_wifi_certificates_is_said_in_time(wifi):
    ends = f"{wifi.server().until:%d %b %Y}"
    server = "The RADIUS server's certificate for Wi-Fi"

    assert said_of(wifi.path)[0] == (Verdict.GOOD, f"{server} is valid until {ends}.")
    verdict, sentence = said_of(wifi.path, days=368)[0]
    assert verdict == Verdict.NOTE
    assert sentence.startswith(f"{server} expires on {ends}: run manage.py make_radius")
    verdict, sentence = said_of(wifi.path, days=397)[0]
    assert verdict == Verdict.BAD
    assert f"{server} expired on {ends}" in sentence
    assert [said_of(wifi.path, days=days)[1][0] for days in (0, 3251, 3650)] == [
        Verdict.GOOD, Verdict.NOTE, Verdict.BAD,
    ]  # fmt: skip


def test_wifi_certificates_are_looked_for_where_they_are_kept(
    installation, wifi, settings
):
    told = {**settings, "RADIUS_CERTIFICATES_DIR": str(wifi.path)}
    found = [each.sentence for each in doctor.examine(installation.root, told)]
    assert any("certificate for Wi-Fi is valid until" in each for each in found)
    assert wrong(installation, settings) == []


def test_wifi_keys_that_are_open_or_broken_are_named(wifi, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(wifi.path, copy)
    (copy / "authority.pem").chmod(0o640)
    (copy / "server.pem").write_text("no PEM")
    found = "\n".join(each for verdict, each in said_of(copy) if verdict == Verdict.BAD)
    assert "authority.pem is open to other users: run chmod 600" in found
    assert "server.pem holds no certificate" in found


def test_accounting_that_nobody_brings_home_is_named(tmp_path):
    folder = tmp_path / "accounting"
    assert list(doctor.accounting(folder, NOW)) == []
    folder.mkdir(mode=0o700)
    assert [each.verdict for each in doctor.accounting(folder, NOW)] == [Verdict.GOOD]

    minute = int(NOW.timestamp()) // 10
    (folder / f"{minute - 11}.acct").touch()
    (folder / "progress").touch()
    assert [each.verdict for each in doctor.accounting(folder, NOW)] == [Verdict.GOOD]
    (folder / f"{minute - 13}.acct").touch()
    (folder / "refused").touch()
    folder.chmod(0o750)
    open_to_all, late, refused = doctor.accounting(folder, NOW)
    assert "run chmod 700" in open_to_all.sentence
    assert (late.verdict, refused.verdict) == (Verdict.BAD, Verdict.NOTE)
    since = f"{datetime.fromtimestamp((minute - 13) * 10, UTC):%d %b %Y %H:%M:%S} UTC"
    assert since in late.sentence


def test_an_empty_database_is_named(installation, settings):
    superuser = os.environ["DOTMAC_TEST_SUPERUSER_URL"]
    empty = {**settings, "DATABASE_URL": superuser}
    said = wrong(installation, empty)
    assert any("lacks the extensions" in sentence for sentence in said)
    assert any("has no tables" in sentence for sentence in said)


def test_without_an_environment_the_last_start_is_looked_at(installation, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert doctor.read_settings(installation.root) == {}
    (installation.root / "settings.env").write_text("DATABASE_URL=postgresql://a=b\n")
    found = doctor.read_settings(installation.root)
    assert found == {"DATABASE_URL": "postgresql://a=b"}
    monkeypatch.setenv("DATABASE_URL", "postgresql://mine")
    mine = doctor.read_settings(installation.root)["DATABASE_URL"]
    assert mine == "postgresql://mine"


def test_the_exit_code_says_whether_something_is_wrong(
    installation, settings, monkeypatch, capsys
):
    monkeypatch.setenv("DOTMAC_DATA", str(installation.root))
    assert doctor.main() == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    installation.root.chmod(0o755)
    assert doctor.main() == 1
    assert "To put right: 1." in capsys.readouterr().out
