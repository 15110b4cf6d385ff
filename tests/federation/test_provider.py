"""DotMac as OpenID provider: one honest way through, and the rest refused."""

import base64
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from apps.federation import operations, selectors
from apps.federation.models import (
    AuthorisationCode,
    Consent,
)
from apps.identity.models import Session
from apps.ops.models import AuditEntry
from dotmac.core.errors import NotFound
from tests.federation.asking import (
    VERIFIER,
    agree,
    ask,
    claims_in,
    exchange,
    told,
    userinfo,
    wish,
)
from tests.federation.making import RETURN, make_application
from tests.sessions import enter
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


@pytest.fixture
def app(world):
    return make_application()


def test_the_document_names_what_is_there(world):
    document = Client().get("/.well-known/openid-configuration").json()
    assert document["issuer"] == "http://127.0.0.1:8000"
    for name, address in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = urlsplit(address).path
            assert Client().get(path).status_code in {200, 302, 400, 401, 405}, name


def test_a_person_agrees_and_the_application_learns_what_was_agreed(app, world):
    browser = enter(world.sola)

    page = ask(browser, app)

    assert page.status_code == 200
    assert b"Grafana" in page.content
    assert b"your roles" in page.content
    policy = page["Content-Security-Policy"]
    assert "https://grafana.demo-isp.example" in policy.split("form-action")[1]
    answer = agree(browser, app)
    assert (answer["state"], answer["iss"]) == ("s-1", "http://127.0.0.1:8000")
    given = exchange(app, answer["code"])
    assert given.status_code == 200
    assert "no-store" in given["Cache-Control"]
    claims = claims_in(given)
    assert claims["aud"] == app.row.client_id
    assert (claims["sub"], claims["nonce"]) == (str(world.sola.id), "n-1")
    assert (claims["groups"], claims["amr"]) == (["support"], ["mfa"])
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["auth_time"] - time.time()) < 60
    assert userinfo(given.json()["access_token"]).json() == {
        "sub": str(world.sola.id), "name": "Sola Martins",
        "preferred_username": "sola", "email": "sola@demo-isp.example",
        "email_verified": False, "groups": ["support"], "roles": ["support"],
    }  # fmt: skip


def test_what_was_agreed_is_not_asked_again(app, world):
    browser = enter(world.sola)
    agree(browser, app, scope="openid email")
    assert told(ask(browser, app, scope="openid email"))["code"]
    assert ask(browser, app, scope="openid email groups").status_code == 200
    agree(browser, app, scope="openid email groups")
    assert Consent.objects.get().scopes == ["openid", "email", "groups"]
    assert ask(browser, app, prompt="consent").status_code == 200


def test_what_was_agreed_is_taken_back(app, world):
    """Its tokens and codes end at once; a colleague's go on."""
    browser, colleague = enter(world.sola), enter(world.bisi)
    token = exchange(app, agree(browser, app)["code"]).json()["access_token"]
    other = exchange(app, agree(colleague, app)["code"]).json()["access_token"]
    code = told(ask(browser, app))["code"]
    consent = Consent.objects.get(user=world.sola.user)
    page = browser.get("/console/my-applications").content.decode()
    assert "Grafana" in page
    assert "your roles" in page

    foreign = colleague.post(f"/console/my-applications/{consent.pk}/withdraw")
    assert (foreign.status_code, userinfo(token).status_code) == (404, 200)
    done = browser.post(f"/console/my-applications/{consent.pk}/withdraw", follow=True)
    assert "Grafana learns nothing more of you." in done.content.decode()

    assert not Consent.objects.filter(user=world.sola.user).exists()
    assert userinfo(token).status_code == 401
    assert exchange(app, code).status_code == 400
    assert userinfo(other).status_code == 200
    assert ask(browser, app).status_code == 200  # asked anew
    entry = AuditEntry.objects.get(action="federation.withdraw_consent")
    assert entry.actor_label == "sola"
    with pytest.raises(NotFound):
        operations.withdraw_consent(
            consent_id=consent.pk, actor=world.sola.actor, now=timezone.now()
        )


def test_an_application_of_the_house_does_not_ask(world):
    app = make_application(asks_consent=False)
    answer = told(ask(enter(world.sola), app, scope="openid", nonce=None))
    claims = claims_in(exchange(app, answer["code"]))
    assert "nonce" not in claims
    assert "groups" not in claims
    assert "email" not in claims


def test_who_refuses_tells_nothing(app, world):
    address = f"/console/authorize?{urlencode(wish(app))}"
    answer = enter(world.sola).post(address, {"decision": "deny"})
    assert told(answer)["error"] == "access_denied"
    assert not AuthorisationCode.objects.exists()


def test_a_public_application_is_bound_by_pkce_alone(world):
    app = make_application(
        is_public=True, return_addresses=["http://127.0.0.1:49152/back"]
    )
    assert app.secret == ""
    address = {"redirect_uri": "http://127.0.0.1:49152/back"}
    url = f"/console/authorize?{urlencode(wish(app, **address))}"
    answer = enter(world.sola).post(url, {"decision": "allow"})
    code = parse_qs(urlsplit(answer["Location"]).query)["code"][0]
    assert exchange(app, code, client_secret="x", **address).status_code == 401
    assert exchange(app, code, client_secret=None, **address).status_code == 200


def test_credentials_may_come_in_the_header(app, world):
    code = agree(enter(world.sola), app)["code"]
    basic = base64.b64encode(f"{app.row.client_id}:{app.secret}".encode()).decode()
    answer = Client().post(
        "/oidc/token",
        {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN,
         "code_verifier": VERIFIER},
        headers={"Authorization": f"Basic {basic}"},
    )  # fmt: skip
    assert answer.status_code == 200


def test_the_request_may_come_by_post_and_comes_again_by_get(app, world):
    answer = enter(world.sola).post("/console/authorize", wish(app))
    assert answer.status_code == 302
    assert answer["Location"] == f"/console/authorize?{urlencode(wish(app))}"


def test_a_stranger_signs_in_first_and_comes_back(app):
    answer = ask(Client(), app)
    wanted = parse_qs(urlsplit(answer["Location"]).query)["next"][0]
    assert answer["Location"].startswith("/console/sign-in?")
    assert wanted == f"/console/authorize?{urlencode(wish(app))}"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "app-unknown"},
        {"client_id": None},
        {"redirect_uri": RETURN + "/"},
        {"redirect_uri": RETURN + "?x=1"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": None},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(app, world, changes):
    answer = ask(enter(world.sola), app, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer


def test_a_parameter_that_comes_twice_is_refused(app, world):
    query = urlencode(wish(app)) + "&redirect_uri=https://evil.example/"
    answer = enter(world.sola).get(f"/console/authorize?{query}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"nonce": "n" * 256}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://x.example"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_a_wish_that_is_wrong_is_told_to_the_application(app, world, changes, error):
    assert told(ask(enter(world.sola), app, **changes))["error"] == error


def test_silence_is_kept_where_the_application_asks_for_it(app, world):
    assert told(ask(Client(), app, prompt="none"))["error"] == "login_required"
    browser = enter(world.sola)
    assert told(ask(browser, app, prompt="none"))["error"] == "consent_required"
    agree(browser, app)
    assert "code" in told(ask(browser, app, prompt="none"))


@pytest.mark.parametrize("changes", [{"max_age": "300"}, {"prompt": "login"}])
def test_a_proof_that_is_too_old_is_asked_for_again(app, world, changes):
    browser = enter(world.sola)
    agree(browser, app)
    old = timezone.now() - timedelta(minutes=10)
    row = Session.objects.filter(pk=browser.session["console_sid"])
    row.update(started_at=old, mfa_at=old)
    answer = ask(browser, app, **changes)
    assert answer["Location"].startswith("/console/step-up?next=%2Fconsole%2Fauthorize")
    if "max_age" in changes:
        silent = ask(browser, app, prompt="none", **changes)
        assert told(silent)["error"] == "login_required"
    row.update(mfa_at=timezone.now())
    assert "code" in told(ask(browser, app, **changes))


def test_an_age_of_nothing_is_just_now(app, world):
    browser = enter(world.sola)
    agree(browser, app)
    assert "code" in told(ask(browser, app, max_age="0"))


@pytest.mark.parametrize("stage", ["password", "enrolment"])
def test_half_a_sign_in_gives_no_code(app, world, stage):
    browser = enter(world.sola)
    Session.objects.filter(user=world.sola.user).update(stage=stage, mfa_at=None)
    assert ask(browser, app)["Location"].startswith("/console/sign-in")


def test_a_customer_has_no_way_here(app, world):
    browser = enter(world.chidi, face="portal", key="portal_sid")
    assert ask(browser, app)["Location"].startswith("/console/sign-in")


def test_agreeing_needs_the_own_pages_form(app, world):
    browser = enter(world.sola)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    address = f"/console/authorize?{urlencode(wish(app))}"
    assert strict.post(address, {"decision": "allow"}).status_code == 403
    assert not AuthorisationCode.objects.exists()


def test_a_code_needs_a_person_with_a_session(app):
    asking = selectors.application_asking(app.row.client_id, RETURN)
    from dotmac.core.errors import NotFound

    with pytest.raises(NotFound):
        operations.give_code(
            asking=asking, wish=selectors.wish_of(wish(app)), actor=SYSTEM,
            now=timezone.now(),
        )  # fmt: skip
