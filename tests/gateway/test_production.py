"""The gateway as the Internet meets it: production settings on a real server."""

import os
import secrets
import subprocess
import sys

import pytest

from dotmac.devtools.servers import write_secret
from tests.environment import ROOT
from tests.gateway import observatory
from tests.gateway.web import Browser, Web
from tests.world import World

pytestmark = [pytest.mark.integration, pytest.mark.security]

ORIGIN = "https://isp.example"
STAGING = {"DJANGO_SETTINGS_MODULE": "dotmac.settings.staging"}
PRODUCTION = {
    "ALLOWED_HOSTS": "isp.example,127.0.0.1",
    "BASE_URL": ORIGIN,
    "TRUSTED_PROXY_COUNT": "1",
}


@pytest.fixture
def world(own_database):
    return World()


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    """The static files with digests in their names, as production has them."""
    folder = tmp_path_factory.mktemp("static")
    key = folder.parent / "collect.key"
    write_secret(key, secrets.token_hex(48))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "dotmac.settings.development",
        "SECRET_KEY_PATH": str(key),
        "STATIC_ROOT": str(folder),
    }
    words = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
    subprocess.run(words, cwd=ROOT, check=True, env=environment)
    return folder


@pytest.fixture
def site(world, tmp_path, static):
    """The folder of a site; a proxy of ours speaks TLS for it."""
    (tmp_path / "static").symlink_to(static)
    return tmp_path


def signed_in(browser, root, person):
    browser.ask("GET", f"{root}sign-in")
    answer = browser.send(
        f"{root}sign-in", username=person.username, password=person.password
    )
    assert answer.status_code == 302, answer.text
    if "code" in answer.headers["location"]:
        answer = browser.send(answer.headers["location"], otp=person.otp())
        assert answer.status_code == 302
    return browser


def test_every_kind_of_answer_scores_a_hundred(world, site):
    with Web(site, "production", **PRODUCTION) as web:
        stranger = Browser(web, origin=ORIGIN)
        staff = signed_in(Browser(web, origin=ORIGIN), "/console/", world.ada)
        customer = signed_in(Browser(web, origin=ORIGIN), "/portal/", world.chidi)
        style = next((site / "static").glob("shared/dotmac.*.css")).name
        asked = [
            (stranger, "GET", "/console/sign-in", 200),
            (stranger, "GET", "/portal/sign-in", 200),
            (stranger, "GET", "/console/", 302),
            (stranger, "GET", "/", 302),
            (stranger, "GET", "/nothing", 404),
            (stranger, "POST", "/portal/sign-in", 403),
            (stranger, "GET", "/health", 200),
            (stranger, "GET", "/health/live", 200),
            (stranger, "GET", f"/static/shared/{style}", 200),
            (stranger, "GET", "/static/nothing.css", 404),
            (stranger, "GET", "/api/v1/customers", 401),
            (stranger, "GET", "/api/v1/auth/keys", 200),
            (stranger, "GET", "/api/v3/customers", 404),
            (stranger, "POST", "/api/v1/auth/login", 400),
            (stranger, "GET", "/api/schema", 401),
            (stranger, "GET", "/api/docs", 404),
            (staff, "GET", "/console/", 200),
            (staff, "GET", "/console/customers", 200),
            (staff, "GET", "/console/nothing", 404),
            (staff, "GET", "/admin/", 200),
            (customer, "GET", "/portal/", 200),
            (customer, "GET", "/portal/bills", 200),
        ]
        scores = {}
        for browser, method, path, status in asked:
            answer = browser.ask(method, path)
            assert answer.status_code == status, (method, path, answer.text[:300])
            found = observatory.judge(answer.headers, answer.text, browser.set_cookies)
            scores[path] = observatory.score(found), found
            _has_the_rest(path, answer.headers)
    assert {p: s for p, s in scores.items() if s[0] < 120} == {}
    assert scores["/console/"][0] >= 130


def _has_the_rest(path, headers):
    """What the Observatory does not score and we promise."""
    assert headers["cross-origin-opener-policy"] == "same-origin", path
    assert headers["x-frame-options"] == "DENY", path
    assert "camera=()" in headers["permissions-policy"], path
    hsts = headers["strict-transport-security"]
    assert hsts == "max-age=31536000; includeSubDomains; preload", path
    policy = observatory.directives(headers["content-security-policy"])
    assert policy["frame-ancestors"] == policy["base-uri"] == {"'none'"}, path
    assert "unsafe" not in headers["content-security-policy"], path
    assert "access-control-allow-origin" not in headers, path
    if path.startswith(("/console", "/portal", "/admin", "/api/v1/c")):
        assert "no-store" in headers["cache-control"], path


def test_no_other_origin_gets_in(world, site):
    with Web(site, "production", **PRODUCTION) as web:
        browser = Browser(web, origin=ORIGIN)
        for origin in ("https://evil.example", "http://localhost:3000", "null", ORIGIN):
            asks = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
            for path in ("/api/v1/customers", "/portal/", "/health", "/nothing"):
                answer = browser.ask("OPTIONS", path, headers=asks)
                assert (answer.status_code, allowed(answer)) == (403, [])
            answer = browser.ask("GET", "/api/v1/customers", headers=asks)
            assert (answer.status_code, allowed(answer)) == (401, [])


def allowed(answer):
    return [name for name in answer.headers if name.startswith("access-control")]


def test_plain_http_is_refused_to_programs_and_redirected_for_people(world, site):
    with Web(site, "production", **PRODUCTION) as web:
        plain = Browser(web, Host="isp.example")
        answer = plain.ask("GET", "/api/v1/customers")
        assert (answer.status_code, answer.json()["code"]) == (403, "https_required")
        answer = plain.ask("GET", "/portal/")
        assert answer.status_code == 301
        assert answer.headers["location"] == f"{ORIGIN}/portal/"
        # Watchers inside the house have no TLS.
        assert plain.ask("GET", "/health/live").status_code == 200


def test_limits_count_real_addresses_behind_the_proxy(world, site):
    """Rules and headers end to end; the address is the proxy's word, not the client's."""
    with Web(site, "production", **PRODUCTION) as web:
        browser = Browser(web, origin=ORIGIN)

        def code(forwarded):
            headers = {"X-Forwarded-For": forwarded}
            answer = browser.ask("POST", "/api/v1/auth/login", headers=headers, json={})
            return answer.status_code

        hostile = ", ".join(f"10.0.{n // 250}.{n % 250}" for n in range(499))
        answers = [code(f"{hostile}, 203.0.113.9") for _ in range(15)]
        answers += [code("203.0.113.9") for _ in range(16)]
        assert answers == [400] * 30 + [429]
        assert code("203.0.113.10") == 400


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"RATE_LIMIT_ENABLED": "false"}, "RATE_LIMIT_ENABLED"),
        ({"SECURITY_ENABLED": "false"}, "SECURITY_ENABLED"),
        ({"SECURITY_ENABLED": "false", **STAGING}, "SECURITY_ENABLED"),
        ({"GATEWAY_MODE": "development", **STAGING}, "GATEWAY_MODE"),
        ({"GATEWAY_MODE": "development"}, "GATEWAY_MODE"),
        ({"DOTMAC_SERVICE": "bilingual"}, "DOTMAC_SERVICE"),
        ({"UPSTREAM_SERVICES": "billing"}, "UPSTREAM_SERVICES"),
    ],
)
def test_refuses_to_start_open_or_confused(tmp_path, told, says):
    key = tmp_path / "django.key"
    key.touch(mode=0o600)
    key.write_text("k" * 64)
    environment = {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "dotmac.settings.production",
        "SECRET_KEY_PATH": str(key), "DOTMAC_DATA": str(tmp_path), **told,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert says in done.stderr
