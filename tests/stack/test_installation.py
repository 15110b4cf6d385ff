"""The state folder: private, all or nothing, never somebody else's."""

import json
import os
import socket
import stat

import pytest

from dotmac.core.crypto import read_keyring
from dotmac.devtools import credentials, installation
from dotmac.devtools.installation import Ports, open_installation
from dotmac.devtools.refusals import Refused

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


def test_a_new_folder_is_private(folder):
    made = open_installation(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.secrets.stat().st_mode) == 0o700
    assert made.exists


def test_secrets_are_made_once_and_only_their_owner_reads_them(folder):
    made = open_installation(folder)
    names = ("django.key", "encryption.key", "jwt.key", "paystack.key", "valkey")
    first = {name: made.secret(name) for name in names}
    assert first == {name: made.secret(name) for name in names}
    assert len(set(first.values())) == len(names)
    for path in made.secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_keyring(made.secrets / "encryption.key").current.id == 1


def test_two_installations_share_no_secret(tmp_path):
    one, two = (open_installation(tmp_path / name) for name in ("one", "two"))
    for name in ("django.key", "encryption.key", "jwt.key", "valkey"):
        assert one.secret(name) != two.secret(name)


def test_a_folder_of_somebody_else_is_never_written_to(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(Refused, match="holds something that DotMac did not make"):
        open_installation(folder)
    with pytest.raises(Refused, match="nothing was deleted"):
        installation.remove(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_named(folder):
    folder.write_text("")
    with pytest.raises(Refused, match="is not a folder"):
        open_installation(folder)


def test_a_folder_that_was_only_begun_is_finished(folder):
    folder.mkdir(mode=0o700)
    (folder / "secrets").mkdir(mode=0o700)
    (folder / "installation.json.part").write_text("{")
    assert open_installation(folder).exists


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_an_open_folder_is_refused(folder, mode):
    open_installation(folder)
    folder.chmod(mode)
    with pytest.raises(Refused, match=f"run chmod 700 {folder}"):
        open_installation(folder)


def test_an_open_secret_is_refused(folder):
    made = open_installation(folder)
    made.secret("jwt.key")
    (made.secrets / "jwt.key").chmod(0o644)
    with pytest.raises(Refused, match=r"run chmod 600 .*jwt\.key"):
        open_installation(folder)


@pytest.mark.parametrize("name", installation.IRREPLACEABLE)
def test_data_without_its_key_is_not_opened_with_a_new_one(folder, name):
    made = open_installation(folder)
    for each in installation.IRREPLACEABLE:
        made.secret(each)
    made.postgres.mkdir()
    (made.postgres / "PG_VERSION").write_text("17")
    (made.secrets / name).unlink()
    with pytest.raises(Refused, match=f"{name} is missing"):
        open_installation(folder)


def test_a_damaged_marker_and_another_format_are_named(folder):
    made = open_installation(folder)
    (folder / "installation.json").write_text("{half")
    with pytest.raises(Refused, match="cannot be read"):
        open_installation(folder)
    (folder / "installation.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(Refused, match="another version of DotMac"):
        open_installation(folder)
    assert made.exists


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_is_refused(folder):
    open_installation(folder)
    os.chown(folder, 65534, 65534)
    with pytest.raises(Refused, match="belongs to another user"):
        open_installation(folder)


def test_a_full_disk_is_named_before_anything_is_made(folder, monkeypatch):
    monkeypatch.setattr(installation, "SPACE_MIN", 1 << 60)
    with pytest.raises(Refused, match="make room"):
        open_installation(folder)
    assert not (folder / "installation.json").exists()


def test_removing_takes_everything_and_repeats(folder):
    open_installation(folder).secret("jwt.key")
    assert installation.remove(folder)
    assert not folder.exists()
    assert not installation.remove(folder)


def test_a_port_in_use_is_named_with_a_free_one(folder):
    ports = Ports(open_installation(folder))
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        number = busy.getsockname()[1]
        with pytest.raises(Refused, match=f"Port {number} is in use.*--port"):
            ports.demand("web", number)
        assert ports.choose("web", number) != number
    assert ports.demand("free", 0) > 0


def test_a_held_port_is_taken_until_it_is_released(folder):
    ports = Ports(open_installation(folder))
    web = ports.hold(ports.choose("web"))
    radius = ports.hold(ports.choose("radius", datagram=True), datagram=True)
    assert not installation.can_bind(web)
    assert not installation.can_bind(radius, datagram=True)
    ports.release(datagram=True)
    assert installation.can_bind(radius, datagram=True)
    assert not installation.can_bind(web)
    ports.release(datagram=False)
    assert installation.can_bind(web)


def test_a_port_whose_connections_are_still_closing_is_free(folder):
    ports = Ports(open_installation(folder))
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as granian does
        server.bind(("127.0.0.1", 0))
        server.listen()
        number = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", number))
        served, _ = server.accept()
        served.close()  # the side that closes first keeps the port in TIME_WAIT
        client.close()
    assert ports.hold(ports.demand("web", number)) == number
    ports.release(datagram=False)


def test_ports_stay_from_start_to_start_while_they_are_free(folder):
    first = Ports(open_installation(folder))
    numbers = [first.choose(name) for name in ("a", "b", "c")]
    assert len(set(numbers)) == 3
    first.save()
    second = Ports(open_installation(folder))
    assert [second.choose(name) for name in ("a", "b", "c")] == numbers

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        busy.bind(("127.0.0.1", 0))
        taken = busy.getsockname()[1]
        assert second.choose("radius", taken, datagram=True) != taken


def test_the_credentials_file_keeps_what_each_writer_wrote(folder):
    open_installation(folder)
    people = credentials.Credentials(
        staff=[
            credentials.StaffSignIn(
                username="ada", password="p", totp_secret="s", role="owner"
            )
        ],
        nas=credentials.FreeNas(address="127.0.0.1", secret="s", coa_port=3799),
    )
    credentials.write_addresses(folder, database_url="postgresql://a", redis_url="r")
    credentials.write(folder, people)
    credentials.write_addresses(folder, database_url="postgresql://b", redis_url="r")

    known = credentials.read(folder)
    assert known["database_url"] == "postgresql://b"
    assert known["staff"][0] == {
        "username": "ada", "password": "p", "totp_secret": "s", "role": "owner"
    }  # fmt: skip
    assert known["nas"]["address"] == "127.0.0.1"
    assert known["customers"] == known["subscribers"] == []
    mode = (folder / credentials.NAME).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
