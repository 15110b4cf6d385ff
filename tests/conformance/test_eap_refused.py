"""Where there is no EAP: the embedded server, and FreeRADIUS without a certificate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conformance import isp as world
from tests.conformance import peer, wire
from tests.conformance.isp import SECRET, superuser
from tests.conformance.test_reasons import _decisions
from tests.conformance.test_statements import _calls, forget_statements

pytestmark = pytest.mark.integration
KEY = SECRET.encode()


@pytest.fixture(scope="module", params=["freeradius", "embedded"])
def bare_server(request, radius_database, django_db_blocker, tmp_path_factory):
    """A server that has never heard of certificates."""
    from apps.network.models import Nas

    url = os.environ["RADIUS_DATABASE_URL"].rsplit("/", 1)[0] + f"/{radius_database}"
    env = world.server_environment(url, Path(os.environ["DOTMAC_TEST_FOLDER"]))
    with world.pointed_to(radius_database, django_db_blocker):
        if not Nas.objects.filter(address="127.0.0.1").exists():
            world.make_nas("127.0.0.1")
    folder = tmp_path_factory.mktemp("bare")
    running = world.start_server(request.param, folder, env, SECRET)
    try:
        running.wait()
        yield running
    finally:
        running.child.stop()


@pytest.fixture
def bare(bare_server, radius_database, django_db_blocker):
    with world.pointed_to(radius_database, django_db_blocker):
        yield bare_server


def test_eap_is_refused_and_no_account_is_asked_for(bare, radius_database):
    isp = world.Isp(bare.client)
    account = isp.account()
    login = account.login.encode()
    identity = b"\x02\x01" + (5 + len(login)).to_bytes(2, "big") + b"\x01" + login
    body = wire.attribute(1, login) + wire.attribute(79, identity)

    with superuser(radius_database) as admin:
        forget_statements(admin, radius_database)
        answer = wire.ask(bare.client.auth_port, wire.signed_request(body, KEY))
        calls = _calls(admin, radius_database)

    reply = peer.reply(answer)
    assert (reply.code, reply.names) == (peer.REJECT, [80])
    calls.pop("radius_clients(", 0)
    assert calls == {}
    assert _decisions(bare, account.login) == [(account.login, False, "method")]
    assert isp.auth(account).accepted


def test_a_password_beside_eap_lets_nobody_in(bare):
    isp = world.Isp(bare.client)
    account = isp.account()
    extra = wire.attribute(79, b"\x02\x01\x00\x05\x01")

    request = wire.access_request(
        account.login.encode(), b"right horse", KEY, extra=extra
    )

    answer = wire.ask(bare.client.auth_port, request)

    # FreeRADIUS drops a request that is of both kinds.
    assert answer is None or answer[0] == peer.REJECT
    assert isp.auth(account).accepted
