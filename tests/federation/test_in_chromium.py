"""A person's whole way in a real browser: in by a provider, on to another tool."""

import warnings
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.test import override_settings
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.browser import PHONE, WIDE, chromium, site, visit
from tests.federation.making import make_application, make_connection, switched_on
from tests.federation.oidc_server import CLIENT, SECRET, OidcServer
from tests.federation.saml_server import SamlServer
from tests.federation.serving import Served

with warnings.catch_warnings(record=True):
    # Authlib would rather have httpx2, and says so to everybody who imports this.
    from authlib.integrations.httpx_client import OAuth2Client

__all__ = ["chromium", "site", "visit"]
pytestmark = [pytest.mark.e2e, pytest.mark.own_database]
SLUG = "head-office"


@pytest.fixture
def home(site, forget):
    """The site knows its own address; its cast is there."""
    from tests.world import World

    with override_settings(BASE_URL=site, CSRF_TRUSTED_ORIGINS=[site]):
        yield World()


@pytest.fixture
def office(home, site):
    """An OpenID provider that everybody is signed in at."""
    server = OidcServer(f"{site}/console/federation/{SLUG}/callback")
    server.person = {
        "sub": "p-1", "email": "sola@demo-isp.example", "email_verified": True,
        "groups": [], "amr": ["mfa"], "auth_time": int(timezone.now().timestamp()),
    }  # fmt: skip
    assert home.sola
    switched_on(
        make_connection(
            issuer=server.base, client_id=CLIENT, secret=SECRET, trusts_mfa=True
        )
    )
    yield server
    server.close()


def messages(visitor):
    """The browser's own complaints: a policy that was broken shows here."""
    return [*visitor.messages, *filter(None, [visitor.overflow()])]


def believed(token, known, *, issuer, audience, nonce):
    """The claims of an ID token as a careful application takes them."""
    keys = KeySet.import_key_set(httpx.get(known["jwks_uri"]).json())
    found = jwt.decode(
        token, keys, algorithms=known["id_token_signing_alg_values_supported"]
    ).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
    ).validate(found)
    return found


def walk_in(window, address, back):
    """From the application through both sign-ins and the question, back to it."""
    window.page.goto(address, wait_until="networkidle")
    assert messages(window) == []
    window.page.click("text=Sign in with Head office")
    window.page.wait_for_selector("text=Grafana")
    assert messages(window) == []
    window.page.click("button[value=allow]")
    window.page.wait_for_url(f"{back}*")
    assert messages(window) == []


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_in_by_openid_connect_and_on_to_an_application(
    office, site, visit, width, request
):
    tool = Served()
    tool.routes["/back"] = lambda *_asked: (200, {"Content-Type": "text/html"}, b"in")
    back = f"{tool.base}/back"
    app = make_application(return_addresses=[back])
    client = OAuth2Client(
        app.row.client_id, app.secret, scope="openid email groups", redirect_uri=back,
        code_challenge_method="S256",
    )  # fmt: skip
    request.addfinalizer(client.close)
    known = httpx.get(f"{site}/.well-known/openid-configuration").json()
    verifier = "v" * 50
    address, _state = client.create_authorization_url(
        known["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
    )
    window = visit({}, width)
    try:
        walk_in(window, address, back)
    finally:
        tool.close()
    token = client.fetch_token(
        known["token_endpoint"], authorization_response=window.page.url,
        code_verifier=verifier,
    )  # fmt: skip
    found = believed(
        token["id_token"], known, issuer=site, audience=app.row.client_id, nonce="n-1"
    )
    assert found["groups"] == ["support"]
    answer = client.get(known["userinfo_endpoint"]).json()
    assert (answer["sub"], answer["email"]) == (found["sub"], "sola@demo-isp.example")
    assert parse_qs(urlsplit(window.page.url).query)["iss"] == [site]
    gone = client.revoke_token(known["revocation_endpoint"], token["access_token"])
    assert gone.status_code == 200
    assert client.get(known["userinfo_endpoint"]).status_code == 401


def test_in_by_saml_whose_form_comes_from_another_site(home, site, visit):
    """SameSite=Lax keeps our cookie out of the provider's POST: it still works."""
    root = f"{site.replace('127.0.0.1', 'localhost')}/console/federation/{SLUG}"
    with override_settings(BASE_URL=site.replace("127.0.0.1", "localhost")):
        server = SamlServer(f"{root}/metadata", f"{root}/acs")
        server.attributes = {"mail": ["sola@demo-isp.example"]}
        try:
            assert home.sola
            switched_on(
                make_connection(
                    kind="saml", metadata=f"{server.base}/metadata", trusts_email=True
                )
            )
            window = visit({})
            window.page.goto(
                f"{site.replace('127.0.0.1', 'localhost')}/console/sign-in",
                wait_until="networkidle",
            )
            window.page.click("text=Sign in with Head office")
            window.page.click("text=Continue")
            window.page.wait_for_url("**/console/sign-in/code*")
            window.page.fill("[name=otp]", home.sola.otp())
            window.page.click("button.btn-primary")
            window.page.wait_for_url("**/console/")
            assert messages(window) == []
        finally:
            server.close()
