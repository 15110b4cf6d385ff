"""RADIUS inside TLS: a NAS is who its certificate says, at the address that it has."""

from __future__ import annotations

import socket
import ssl
from typing import Self

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.network import operations
from apps.network.radius import certificates
from apps.network.radius.certificates import Folder
from tests.conformance import wire
from tests.conformance.isp import ACTOR, SERVER_NAME

pytestmark = [pytest.mark.integration, pytest.mark.security]
SECRET = b"radsec"  # RFC 6614, 2.3
ACCEPT, REJECT, ACCOUNTED = 2, 3, 5


class Tunnel:
    """A connection of a NAS, and packets in it."""

    def __init__(self, port: int, folder: Folder, source: str, certificate) -> None:
        context = ssl.create_default_context(cafile=str(folder.path / "ca.pem"))
        if certificate is not None:
            context.load_cert_chain(certificate)
        raw = socket.create_connection(
            ("127.0.0.1", port), timeout=2, source_address=(source, 0)
        )
        try:
            self.door = context.wrap_socket(raw, server_hostname=SERVER_NAME)
        except OSError:
            raw.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.door.close()

    def ask(self, data: bytes, wait_s: float = 2) -> bytes | None:
        """The answer; None for silence and for a connection that was closed."""
        self.door.settimeout(wait_s)
        try:
            self.door.sendall(data)
            return self.door.recv(4096) or None
        except OSError:
            return None


@pytest.fixture
def radsec(server, isp):
    if server.kind != "freeradius":
        pytest.skip("only FreeRADIUS speaks TLS")
    return server


@pytest.fixture
def folder(radsec):
    return Folder(radsec.child.log.parent / "radius-certificates")


@pytest.fixture
def connect(radsec, folder):
    def connect(nas, certificate) -> Tunnel:
        return Tunnel(radsec.radsec_port, folder, str(nas.address), certificate)

    return connect


@pytest.fixture
def of_nas(folder, capsys):
    """The certificate that the command makes for a NAS."""

    def issue(nas) -> str:
        call_command(
            "make_radius_certificates", f"--dir={folder.path}", f"--nas={nas.pk}"
        )
        path = folder.path / f"nas-{nas.pk}.pem"
        said = capsys.readouterr().out
        assert nas.name in said
        assert str(path) in said
        return str(path)

    return issue


def login_of(isp):
    return isp.account(profile={"sessions_max": 0}).login.encode()


def test_a_nas_logs_in_and_accounts_in_one_connection(isp, connect, of_nas):
    nas, login = isp.nas(), login_of(isp)
    request = wire.access_request(login, b"right horse", SECRET, identifier=1)
    wrong = wire.access_request(login, b"wrong horse", SECRET, identifier=2)
    start = wire.accounting_request(
        SECRET, wire.attribute(1, login), wire.attribute(44, b"tls"), identifier=3
    )

    with connect(nas, of_nas(nas)) as tunnel:
        assert tunnel.ask(request)[:2] == bytes([ACCEPT, 1])
        assert tunnel.ask(wrong)[:2] == bytes([REJECT, 2])
        assert tunnel.ask(start)[:2] == bytes([ACCOUNTED, 3])
        (row,) = isp.sessions(login.decode())
        assert row.nas_id == nas.pk

        operations.change_nas(
            nas_id=nas.pk, changes={"enabled": False}, actor=ACTOR, now=timezone.now()
        )
        again = wire.access_request(login, b"right horse", SECRET, identifier=4)
        assert tunnel.ask(again, wait_s=0.5) is None


def test_the_certificate_of_another_nas_is_not_answered(isp, connect, of_nas):
    nas, other, login = isp.nas(), isp.nas(), login_of(isp)
    request = wire.access_request(login, b"right horse", SECRET)
    start = wire.accounting_request(
        SECRET, wire.attribute(1, login), wire.attribute(44, b"tls")
    )

    with connect(nas, of_nas(other)) as tunnel:
        assert tunnel.ask(request, wait_s=0.5) is None
        assert tunnel.ask(start, wait_s=0.5) is None
    assert not isp.sessions(login.decode())


def test_nobody_comes_in_with_a_certificate_that_is_not_ours(
    isp, connect, folder, tmp_path
):
    nas, login = isp.nas(), login_of(isp)
    now = timezone.now()
    theirs = certificates.make_authority(name="Theirs", now=now)
    forged = certificates.issue(theirs, name=f"nas-{nas.pk}", now=now, for_client=True)
    (tmp_path / "forged.pem").write_bytes(forged.pem())
    # The server's own is none of a client.
    for certificate in (tmp_path / "forged.pem", None, folder.server_file):
        try:
            with connect(nas, certificate) as tunnel:
                request = wire.access_request(login, b"right horse", SECRET)
                assert tunnel.ask(request, wait_s=0.5) is None
        except (ssl.SSLError, ConnectionError):
            continue


def test_an_address_of_no_nas_comes_in_with_no_certificate(isp, radsec, folder, of_nas):
    certificate, login = of_nas(isp.nas()), login_of(isp)
    try:
        with Tunnel(radsec.radsec_port, folder, "127.11.9.9", certificate) as tunnel:
            request = wire.access_request(login, b"right horse", SECRET)
            assert tunnel.ask(request, wait_s=0.5) is None
    except (ssl.SSLError, ConnectionError):
        pass


def test_a_nas_that_is_none_gets_no_certificate(isp, folder):
    with pytest.raises(CommandError, match="There is no NAS 999999"):
        call_command("make_radius_certificates", f"--dir={folder.path}", "--nas=999999")
    assert not (folder.path / "nas-999999.pem").exists()
