"""Whatever is typed as an address, what is inside is not connected to.

A real server stands on loopback in the part of the private one; with the wall down
many of these ways do reach it.
"""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from django.core.exceptions import ImproperlyConfigured

from dotmac.core.http import OutsideUnreachable, call, outside
from dotmac.core.outside import (
    TRIED_MAX,
    AddressInside,
    Wall,
    is_outside,
    networks_of,
)
from dotmac.settings import env

pytestmark = [pytest.mark.integration, pytest.mark.security]

TRICKS = [
    "http://127.0.0.1:{port}/",
    "http://127.0.0.2:{port}/",
    "http://127.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://2130706433:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://8.8.8.8@127.0.0.1:{port}/",
    "http://8.8.8.8:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@8.8.8.8/",
    "http://127.0.0.1:{port}?@8.8.8.8/",
    "http://127\u30020\u30020\u30021:{port}/",
    "http://127\uff0e0\uff0e0\uff0e1:{port}/",
    "http://\u2460\u2461\u2466.0.0.1:{port}/",
    "http://\uff11\uff12\uff17.0.0.1:{port}/",
    "http://127.0.0.1%00.example.com:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://8.8.8.8\\@127.0.0.1:{port}/",
]
# These are inside, and nothing has to listen there to show that nobody is asked.
INSIDE = [
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.8.9.1",
    "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:20::1", "2001:db8::1", "2002:808:808::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1",
    "fec0::1", "ff02::1",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1", "128.0.0.1",
    "172.15.0.1", "172.32.0.1", "192.167.1.1", "192.169.0.1", "198.20.0.1",
    "223.255.255.255", "168.63.129.17", "2001:4860:4860::8888", "2606:4700::1111",
    "2a00:1450::1",
]  # fmt: skip


class Counting(ThreadingHTTPServer):
    """Counts who came."""

    daemon_threads = True
    asked = 0


@contextmanager
def listening(host, port=0):
    """A small server on one address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked += 1
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"in")

        def log_message(self, *args):
            """Tests are quiet."""

    server = Counting((host, port), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def inner():
    with listening("127.0.0.1") as server:
        yield server


def fetch(address):
    with outside(address) as client:
        return call(client, "GET", address)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_way_of_writing_it_reaches_what_is_inside(inner, settings, trick):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with pytest.raises(OutsideUnreachable):
        fetch(trick.format(port=inner.server_port))
    assert inner.asked == 0


def test_it_is_the_wall_that_stops_them(inner, settings):
    """Without it a good part of these ways arrives: the list is worth its name."""
    settings.OUTBOUND_ALLOWED_NETWORKS = networks_of("0.0.0.0/0 ::/0")
    for trick in TRICKS:
        try:
            fetch(trick.format(port=inner.server_port))
        except OutsideUnreachable:
            continue
    assert inner.asked >= 10


def test_what_is_refused_says_what_was_typed_and_no_number(settings, monkeypatch):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    resolve(monkeypatch, {"intranet.example": [["10.1.2.3"]]})
    with pytest.raises(OutsideUnreachable) as refused:
        fetch("https://intranet.example/keys")
    assert str(refused.value) == "intranet.example is not an address outside."


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_inside(text):
    assert not is_outside(ip_address(text))
    with pytest.raises(AddressInside):
        Wall([]).connect_tcp(text, 9, timeout=1)


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_outside(text):
    assert is_outside(ip_address(text))


def test_an_allowed_network_opens_itself_alone(inner, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = networks_of("127.0.0.1/32, 10.20.0.0/16")
    assert fetch(f"http://127.0.0.1:{inner.server_port}/").content == b"in"
    with pytest.raises(OutsideUnreachable, match="not an address outside"):
        fetch(f"http://127.0.0.2:{inner.server_port}/")
    assert is_outside(ip_address("10.20.3.4"), settings.OUTBOUND_ALLOWED_NETWORKS)
    assert not is_outside(
        ip_address("::ffff:10.20.3.4"), settings.OUTBOUND_ALLOWED_NETWORKS
    )


# Names ------------------------------------------------------------------------------


def resolve(monkeypatch, answers):
    """A resolver whose names answer in turn; the last answer is repeated."""
    real = socket.getaddrinfo
    asked: list[str] = []

    def getaddrinfo(host, port, *rest, **more):
        if host not in answers:
            return real(host, port, *rest, **more)
        turn = min(asked.count(host), len(answers[host]) - 1)
        asked.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))
            for number in answers[host][turn]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_flips_after_it_was_judged_gains_nothing(settings, monkeypatch):
    """DNS rebinding: first an address that may be reached, then one that may not."""
    settings.OUTBOUND_ALLOWED_NETWORKS = networks_of("127.0.0.2/32")
    with (
        listening("127.0.0.2") as good,
        listening("127.0.0.1", good.server_port) as bad,
    ):
        turns = [["127.0.0.2"], ["127.0.0.1"]]
        asked = resolve(monkeypatch, {"rebind.example": turns})
        address = f"http://rebind.example:{good.server_port}/"
        assert fetch(address).content == b"in"
        assert (good.asked, bad.asked, asked) == (1, 0, ["rebind.example"])
        with pytest.raises(OutsideUnreachable, match="not an address outside"):
            fetch(address)
        assert (good.asked, bad.asked) == (1, 0)


def test_of_several_numbers_only_those_outside_are_tried(settings, monkeypatch):
    settings.OUTBOUND_ALLOWED_NETWORKS = networks_of("127.0.0.2/32 127.0.0.3/32")
    with (
        listening("127.0.0.2") as good,
        listening("127.0.0.1", good.server_port) as bad,
    ):
        numbers = ["127.0.0.1", "127.0.0.3", "127.0.0.2"]
        resolve(monkeypatch, {"mixed.example": [numbers]})
        assert fetch(f"http://mixed.example:{good.server_port}/").content == b"in"
        assert (good.asked, bad.asked) == (1, 0)


def test_a_name_with_many_numbers_costs_few_tries(settings, monkeypatch):
    settings.OUTBOUND_ALLOWED_NETWORKS = networks_of("127.0.0.0/8")
    numbers = [f"127.0.0.{10 + n}" for n in range(TRIED_MAX)]
    with listening("127.0.0.1") as server:
        resolve(monkeypatch, {"many.example": [[*numbers, "127.0.0.1"]]})
        with pytest.raises(OutsideUnreachable, match="ConnectError"):
            fetch(f"http://many.example:{server.server_port}/")
        assert server.asked == 0


@pytest.mark.parametrize(
    "address",
    ["http://no-such-host.invalid/", f"http://{'x' * 64}.example/", "http://[::1", "x"],
)
def test_what_is_no_address_is_silence_too(address):
    with pytest.raises(OutsideUnreachable):
        fetch(address)


def test_no_proxy_of_the_environment_stands_in_between(inner, settings, monkeypatch):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    proxy = f"http://127.0.0.1:{inner.server_port}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    resolve(monkeypatch, {"intranet.example": [["10.1.2.3"]]})
    with pytest.raises(OutsideUnreachable, match="not an address outside"):
        fetch("http://intranet.example/")
    assert inner.asked == 0


def test_a_socket_of_this_machine_is_inside():
    with pytest.raises(AddressInside):
        Wall(networks_of("0.0.0.0/0")).connect_unix_socket("any.sock")


# The setting ------------------------------------------------------------------------


def test_nothing_inside_is_allowed_unless_somebody_says_so(monkeypatch):
    from dotmac.settings import base

    assert base.OUTBOUND_ALLOWED_NETWORKS == []


def test_networks_are_read_and_nonsense_stops_the_start(monkeypatch):
    monkeypatch.setenv("OUTBOUND_ALLOWED_NETWORKS", "10.1.0.0/16,fd00::/8 192.0.2.1")
    found = env.networks("OUTBOUND_ALLOWED_NETWORKS", "")
    assert [str(one) for one in found] == ["10.1.0.0/16", "fd00::/8", "192.0.2.1/32"]
    for nonsense in ("10.1.2.3/16", "house", "10.0.0.0/33"):
        monkeypatch.setenv("OUTBOUND_ALLOWED_NETWORKS", nonsense)
        with pytest.raises(ImproperlyConfigured, match="OUTBOUND_ALLOWED_NETWORKS"):
            env.networks("OUTBOUND_ALLOWED_NETWORKS", "")
