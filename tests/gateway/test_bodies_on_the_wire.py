"""Bodies as hostile programs write them on the wire, against a real server."""

import json
import re

import pytest

from apps.identity.models import Customer
from tests.gateway.web import Web
from tests.world import World

pytestmark = [pytest.mark.integration, pytest.mark.security]

HEAD = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def read(said):
    head, _, body = said.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1.1 (\d+)", head)
    assert found is not None, said[:200]
    start = body.find(b"{")
    problem = json.loads(body[start : body.rfind(b"}") + 1]) if start >= 0 else {}
    return int(found[1]), problem.get("code")


@pytest.mark.usefixtures("own_database")
def test_bodies_without_a_length(tmp_path):
    world = World()
    sola = world.api(world.sola)
    auth = f"Authorization: Bearer {sola.bearer}\r\n".encode()
    customers = HEAD % b"/api/v1/customers" + auth
    body = json.dumps({"kind": "individual", "name": "A", "email": "a@example.com"})
    with Web(tmp_path) as web:
        # A chunked body is read, piece by piece.
        pieces = [chunk(body[:20].encode()), chunk(body[20:].encode()), chunk(b"")]
        assert read(web.raw(customers, CHUNKED, *pieces))[0] == 201
        assert Customer.objects.filter(name="A").count() == 1

        # One that goes on and on is refused when it has passed the limit.
        endless = [chunk(b'"' + b"x" * 65536)] * 40
        answer = read(web.raw(customers, CHUNKED, *endless))
        assert answer == (413, "body_too_large")
        notice = HEAD % b"/webhooks/paystack"
        answer = read(web.raw(notice, CHUNKED, *endless))
        assert answer == (413, "body_too_large")

        # An announced one is not even read.
        announced = customers + b"Content-Length: 5000000\r\n\r\n"
        assert read(web.raw(announced, b"{")) == (413, "body_too_large")
        # Two lengths, or a length that is none: never two readings (RFC 9112, 6.3).
        for length in (b"1\r\nContent-Length: 2", b"1_0", b"-1", b"0x10"):
            wrong = customers + b"Content-Length: " + length + b"\r\n\r\n{}"
            assert read(web.raw(wrong, wait_s=5))[0] in {400, 411, 413}

        assert Customer.objects.count() == 1
        assert read(web.raw(customers, CHUNKED, chunk(b"")))[0] == 400
