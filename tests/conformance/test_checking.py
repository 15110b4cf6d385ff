"""The platform asks its own RADIUS server, as a NAS would, and believes little."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pyrad.packet import AuthPacket

from apps.network import operations, selectors
from apps.network.models import Nas
from apps.network.radius import packets
from apps.network.radius.client import AccessQuestion, check_access
from dotmac.devtools import radius_probe
from dotmac.devtools.servers import free_port
from tests.conformance.isp import ACTOR

pytestmark = pytest.mark.integration


@pytest.fixture
def asking(isp, settings):
    """Point the platform's questions at the server under test."""
    settings.RADIUS_HOST = isp.client.host
    settings.RADIUS_AUTH_PORT = isp.client.auth_port
    settings.RADIUS_ACCT_PORT = isp.client.acct_port
    return isp


def test_the_check_tells_decision_rate_and_address(asking):
    now = timezone.now()
    vrf = operations.create_vrf(name=f"c{now.timestamp()}", actor=ACTOR, now=now)
    pool = operations.create_pool(
        name=f"c{now.timestamp()}", vrf_id=vrf.pk, actor=ACTOR, now=now
    )
    operations.create_prefix(
        cidr="100.65.0.0/29", vrf_id=vrf.pk, pool_id=pool.pk, actor=ACTOR, now=now
    )
    account = asking.account(pool_id=pool.pk, mac_lock="aa:bb:cc:00:00:09")
    held = operations.allocate_address(
        pool_id=pool.pk, account_id=account.pk, actor=ACTOR, now=now
    )

    result = operations.check_access(login=account.login, password="right horse")

    assert (result.accepted, result.silent, result.walled) == (True, False, False)
    assert result.rate_kbps == (20_000, 10_000)
    assert result.address == str(held.address).split("/")[0]
    assert result.attributes["Class"] == str(account.pk)


def test_the_check_tells_a_refusal_and_a_walled_garden(asking):
    account = asking.account()
    refused = operations.check_access(login=account.login, password="wrong horse")
    asking.hold(account, "walled_garden", "non_payment")
    walled = operations.check_access(login=account.login, password="right horse")

    assert (refused.accepted, refused.silent) == (False, False)
    assert (walled.accepted, walled.walled, walled.pool) == (True, True, "walled")


def test_the_platforms_nas_is_made_once(asking):
    first = operations.ensure_platform_nas(now=timezone.now())
    again = operations.ensure_platform_nas(now=timezone.now() + timedelta(days=1))

    assert first.pk == again.pk
    assert Nas.objects.filter(address="127.0.0.2").count() == 1


def test_the_probe_asks_both_ports(asking, capsys):
    call_command("probe_radius")

    assert "answers" in capsys.readouterr().out


@pytest.mark.parametrize("port", ["RADIUS_AUTH_PORT", "RADIUS_ACCT_PORT"])
def test_the_probe_fails_when_nobody_listens(asking, settings, port):
    setattr(settings, port, free_port(kind=socket.SOCK_DGRAM))

    with pytest.raises(CommandError, match=f"port {getattr(settings, port)}\\."):
        call_command("probe_radius")


def test_a_start_asks_the_server_as_a_nas_would(asking):
    secret = selectors.nas_secret(operations.ensure_platform_nas(now=timezone.now()).pk)
    where = {"host": asking.client.host, "port": asking.client.auth_port}

    assert radius_probe.answers(**where, secret=secret)
    assert not radius_probe.answers(**where, secret="of-somebody-else")


@pytest.mark.security
@pytest.mark.parametrize(
    "forgery", ["no-signature", "wrong-secret", "wrong-id", "noise"]
)
def test_a_forged_accept_is_silence(forgery):
    secret = b"secret-of-the-real-one"

    def forge(door: socket.socket) -> None:
        data, peer = door.recvfrom(4096)
        request = AuthPacket(packet=data, secret=secret, dict=packets.dictionary())
        reply = request.CreateReply(message_authenticator=False)
        reply.code = 2
        if forgery == "wrong-id":
            reply.id = (reply.id + 1) % 256
        if forgery == "wrong-secret":
            reply.secret = b"another-secret-entirely"
        if forgery != "no-signature":
            reply.add_message_authenticator()
        answer = reply.ReplyPacket()
        door.sendto(b"\x02noise" if forgery == "noise" else answer, peer)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        forger = threading.Thread(target=forge, args=(door,))
        forger.start()
        result = check_access(
            AccessQuestion(
                login="ada", password="pw", server=door.getsockname(),
                secret=secret.decode(), timeout_s=0.5, tries=1,
            )
        )  # fmt: skip
        forger.join()

    assert (result.accepted, result.silent) == (False, True)
