"""Ten faces of one image: each serves its part, the gateway forwards the rest."""

import json
import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from dotmac.devtools.servers import free_port
from dotmac.gateway import api
from dotmac.gateway.services import proxy
from dotmac.gateway.services.routes import owner_of
from dotmac.settings.services import SERVICES, service, upstreams
from tests.gateway.web import Browser, Web
from tests.promises.test_api_routes import path_of
from tests.world import Api, World, login

pytestmark = [pytest.mark.integration]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/api/v1/customers", "identity"),
        ("/api/v2/customers", "identity"),
        ("/api/v1/auth/login", "identity"),
        ("/api/v1/services/7/provision", "services"),
        ("/api/v1/pools/7/allocate", "networking"),
        ("/api/v1/billing/invoices/7", "billing"),
        ("/webhooks/paystack", "billing"),
        ("/api/v1/jobs", "core_ops"),
        ("/console/", "platform"),
        ("/console/invoices/7/document.pdf", "platform"),
        ("/portal/pay", "platform"),
        ("/api/schema", "platform"),
        ("/", "platform"),
    ],
)
def test_each_path_has_its_service(path, owner):
    found = owner_of(path)
    assert found is not None
    assert found.service == owner


@pytest.mark.unit
def test_every_route_of_the_api_has_a_service():
    for route in api.routes(api.urlpatterns):
        found = owner_of(path_of(str(route.pattern)))
        assert found is not None
        assert found.name == route.name
        assert found.service in SERVICES
        assert found.service != "platform", route.name


@pytest.mark.unit
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/api/v1/nothing"])
def test_health_and_the_unknown_belong_to_whoever_is_asked(path):
    assert owner_of(path) is None


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("billing=http://b:8004", {"billing": "http://b:8004"}),
        (
            "dotmac_billing=https://b  identity=http://i:1/",
            {"billing": "https://b", "identity": "http://i:1"},
        ),
        ("billing=http://b,identity=http://i", None),
        ('{"platform": "http://dotmac-platform:8000"}', None),
        ("networking=http://[::1]:8003", {"networking": "http://[::1]:8003"}),
    ],
)
def test_reads_upstreams(text, found):
    read = upstreams(text)
    assert read if found is None else read == found


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("billing", "words like"),
        ("bilingual=http://b", "known are"),
        ("api_gateway=http://b", "known are"),
        ("billing=ftp://b", "http"),
        ("billing=http://user:word@b", "without path or password"),
        ("billing=http://b/api", "without path"),
        ("billing=http://b?x=1", "without path"),
        ("billing=http://b:99999", "cannot be read"),
        ("billing=http://", "http"),
        ("billing=http://a billing=http://b", "twice"),
        ('{"billing": 1}', "names to addresses"),
        ('{"billing": "http://a", "billing": "http://b"}', "twice"),
        ("{", "no JSON"),
    ],
)
def test_refuses_upstreams_with_a_reason(text, says):
    with pytest.raises(ImproperlyConfigured, match=says):
        upstreams(text)


@pytest.mark.unit
def test_knows_the_services_by_both_names():
    assert service("dotmac_billing") == service("billing") == "billing"
    assert service("") == ""
    with pytest.raises(ImproperlyConfigured, match="one of"):
        service("everything")


@pytest.mark.django_db
def test_one_service_serves_its_part_and_health_only(settings, world):
    client = world.api(world.ada)
    settings.DOTMAC_SERVICE = "billing"
    assert client.get("/api/v1/billing/invoices").status_code == 200
    assert client.get("/health/live").status_code == 200
    for path in ("/api/v1/customers", "/api/v2/customers", "/console/", "/portal/"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_served_here")
    assert client.get("/api/v1/nothing").json()["code"] == "not_found"


@pytest.mark.usefixtures("own_database")
def test_a_gateway_and_an_upstream_are_one_api(tmp_path):
    """Two real processes: sign in at the gateway, be served by the other one."""
    world = World()
    world.ada, world.chidi.customer  # noqa: B018 - made before the servers look
    near, far = (tmp_path / name for name in ("near", "far"))
    near.mkdir()
    far.mkdir()
    keys = {"SECRET_KEY_PATH": str(near / "django.key")}
    with Web(near) as _whole:  # Makes the key that both share.
        pass
    with Web(far, DOTMAC_SERVICE="identity", TRUSTED_PROXY_COUNT="1", **keys) as other:
        named = f"identity={other.url}"
        with Web(near, DOTMAC_SERVICE="api_gateway", UPSTREAM_SERVICES=named) as web:
            _one_api(world, Browser(web), Browser(other))
        log = (far / f"web-{other.port}.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if '"path"' in line]
    asked = [line["request_id"] for line in lines]
    assert "one-id-for-both-processes" in asked


def _one_api(world, gateway, upstream):
    body = {
        "username": "ada", "password": world.ada.password, "otp": world.ada.otp(),
    }  # fmt: skip
    answer = gateway.ask("POST", "/api/v1/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    bearer = {"Authorization": f"Bearer {answer.json()['access']}"}

    rows = gateway.ask("GET", "/api/v1/customers", headers=bearer)
    assert rows.status_code == 200
    assert [row["name"] for row in rows.json()["results"]] == ["Chidi Eze"]
    assert rows.headers["RateLimit"]
    assert rows.headers["Sunset"]
    # Made there, by the other version's names, with the address that people use.
    new = {"kind": "individual", "name": "A", "email_address": "a@example.com"}
    made = gateway.ask("POST", "/api/v2/customers", headers=bearer, json=new)
    assert made.status_code == 201
    assert made.json()["email_address"] == "a@example.com"
    host = gateway._web.url
    assert made.headers["location"].startswith(f"{host}/api/v2/customers/")
    # A body of unknown length goes on with its length.
    pieces = iter([b'{"kind": "individual", "name": "B', b'", "email": "b@a.ng"}'])
    kind = {**bearer, "Content-Type": "application/json"}
    made = gateway.ask("POST", "/api/v1/customers", headers=kind, content=pieces)
    assert (made.status_code, made.json()["name"]) == (201, "B")
    # The gateway has the rest itself, the upstream does not.
    mine = "/api/v1/billing/invoices"
    assert gateway.ask("GET", mine, headers=bearer).status_code == 200
    assert upstream.ask("GET", mine, headers=bearer).status_code == 404
    # A bad token is refused at the gateway, and by the upstream itself.
    forged = {"Authorization": "Bearer x.y.z"}
    for side in (gateway, upstream):
        answer = side.ask("GET", "/api/v1/customers", headers=forged)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    named = {**bearer, "X-Request-ID": "one-id-for-both-processes"}
    answer = gateway.ask("GET", "/api/v1/customers/1", headers=named)
    assert answer.headers["X-Request-ID"] == "one-id-for-both-processes"


class EchoServer(ThreadingHTTPServer):
    """An upstream, and what it was asked."""

    def __init__(self, behaviour: str) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.asked: list[dict[str, Any]] = []
        self.behaviour, self.released = behaviour, threading.Event()


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked, or misbehaves."""

    server: EchoServer
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        said = {
            "path": self.path,
            "headers": {n.lower(): v for n, v in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        self.server.asked.append(said)
        if self.server.behaviour == "hang":
            self.server.released.wait(30)
            return
        status = 302 if self.server.behaviour == "redirect" else 200
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "keep-alive, X-Hop")
        self.send_header("X-Hop", "ends here")
        self.send_header("X-Kept", "goes on")
        self.send_header("Set-Cookie", "a=1; Path=/; HttpOnly; SameSite=Lax")
        self.send_header("Set-Cookie", "b=2; Path=/; Secure")
        if status == 302:
            self.send_header("Location", "http://169.254.169.254/secrets")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as http.server names it

    def log_message(self, *_):
        """Quiet."""


@contextmanager
def echo(behaviour=""):
    server = EchoServer(behaviour)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
        proxy._client(f"http://127.0.0.1:{server.server_port}", os.getpid()).close()
        proxy._client.cache_clear()
        proxy._breaker.cache_clear()


@pytest.fixture
def ada(db, world, settings):
    client = Api(login(Api(), world.ada)["access"])
    settings.UPSTREAM_TIMEOUT_S = 1
    return client


def at(settings, port):
    settings.UPSTREAM_SERVICES = {"billing": f"http://127.0.0.1:{port}"}


PATH = "/api/v1/billing/invoices"


def content(answer):
    return json.loads(b"".join(answer.streaming_content))


def test_passes_on_what_belongs_to_the_request_only(ada, settings):
    trace = "0af7651916cd43dd8448eb211c80319c"
    sent = {
        "X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6", "Forwarded": "for=6.6.6.6",
        "X-Forwarded-Host": "evil.example", "Connection": "close, X-Mine",
        "X-Mine": "hop", "TE": "trailers", "Proxy-Authorization": "secret",
        "traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-ID": "abcdefgh-1",
        "If-Match": '"7"',
    }  # fmt: skip
    with echo() as server:
        at(settings, server.server_port)
        answer = ada.get(f"{PATH}?state=open&q=%C3%A4%2Fb", headers=sent)
        said = content(answer)
    got = said["headers"]
    assert said["path"] == f"{PATH}?state=open&q=%C3%A4%2Fb"
    assert got["authorization"] == f"Bearer {ada.bearer}"
    assert got["x-forwarded-for"] == "127.0.0.1"
    assert (got["x-request-id"], got["if-match"]) == ("abcdefgh-1", '"7"')
    assert got["host"] == "testserver"
    assert got["x-forwarded-proto"] == "http"
    version, same, span, _ = got["traceparent"].split("-")
    assert (version, same) == ("00", trace)
    assert span != "b7ad6b7169203331"
    gone = {
        "x-real-ip", "forwarded", "x-forwarded-host", "x-mine", "te",
        "proxy-authorization",
    }  # fmt: skip
    assert gone & set(got) == set()
    assert (answer["X-Kept"], answer["X-Request-ID"]) == ("goes on", "abcdefgh-1")
    assert "X-Hop" not in answer
    assert answer.cookies["a"]["httponly"]
    assert answer.cookies["b"].value == "2"


def test_trusted_hops_go_on_and_invented_ones_do_not(ada, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    with echo() as server:
        at(settings, server.server_port)
        header = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}
        said = content(ada.get(PATH, headers=header))
    # The upstream trusts two: the proxy's word and ours.
    assert said["headers"]["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"


def test_a_body_goes_on_whole_and_once(ada, settings):
    body = {"invoice": 7, "text": "x" * 200_000}
    with echo() as server:
        at(settings, server.server_port)
        answer = ada.post(PATH, body, headers={"Idempotency-Key": "some-key-1"})
        said = content(answer)
        assert len(server.asked) == 1
    assert json.loads(said["body"]) == body
    assert said["headers"]["idempotency-key"] == "some-key-1"


def test_nobody_unknown_gets_through(settings, db):
    with echo() as server:
        at(settings, server.server_port)
        for client in (Api(), Api("x.y.z")):
            answer = client.get(PATH)
            assert answer.status_code == 401
            assert answer["WWW-Authenticate"] == "Bearer"
        assert server.asked == []
        # What strangers may do is not the gateway's to judge.
        assert Api().post("/webhooks/paystack").status_code == 200


def test_never_follows_a_redirect(ada, settings):
    with echo("redirect") as server:
        at(settings, server.server_port)
        answer = ada.get(PATH)
        answer.close()
        assert answer.status_code == 302
        assert len(server.asked) == 1


def test_refuses_to_go_round_in_circles(ada, settings):
    with echo() as server:
        at(settings, server.server_port)
        answer = ada.get(PATH, headers={"Via": "1.1 dotmac-gateway"})
        assert (answer.status_code, answer.json()["code"]) == (508, "proxy_loop")
        assert server.asked == []


def test_an_upstream_that_is_down_is_a_problem_and_soon_not_asked(ada, settings):
    at(settings, free_port())
    answers = [ada.get(PATH) for _ in range(7)]
    codes = [(a.status_code, a.json()["code"]) for a in answers]
    assert codes[:5] == [(502, "upstream_unreachable")] * 5
    assert (503, "upstream_unavailable") in codes
    assert answers[-1].json()["service"] == "billing"
    assert "127.0.0.1" not in answers[0].content.decode()
    assert int(answers[-1]["Retry-After"]) >= 1
    # Other services are served meanwhile.
    assert ada.get("/api/v1/customers").status_code == 200


def test_an_upstream_that_hangs_is_a_timeout(ada, settings):
    with echo("hang") as server:
        at(settings, server.server_port)
        answer = ada.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")


def test_an_endless_answer_is_cut_off(ada, settings, monkeypatch):
    monkeypatch.setattr(proxy, "ANSWER_BYTES_MAX", 100)
    with echo() as server:
        at(settings, server.server_port)
        answer = ada.get(PATH)
        with pytest.raises(ConnectionError):
            content(answer)
        answer.close()
