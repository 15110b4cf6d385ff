"""Codes and tokens of DotMac as OpenID provider, and signing out."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.test import Client, override_settings
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from apps.federation import operations
from apps.federation.models import (
    Application,
    ApplicationToken,
    AuthorisationCode,
)
from apps.identity import operations as identity
from apps.identity import selectors as people
from apps.identity.models import Session
from tests.federation.asking import (
    VERIFIER,
    agree,
    ask,
    exchange,
    told,
    userinfo,
)
from tests.federation.making import LEAVE, RETURN, make_application
from tests.federation.oidc_server import half
from tests.sessions import enter
from tests.world import SYSTEM, Api, login

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


@pytest.fixture
def app(world):
    return make_application()


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code": "other"}, 400, "invalid_grant"),
        ({"code": ""}, 400, "invalid_grant"),
        ({"redirect_uri": RETURN + "/"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_grant"),
        ({"code_verifier": "w" * 64}, 400, "invalid_grant"),
        ({"code_verifier": "v" * 42}, 400, "invalid_grant"),
        ({"code_verifier": None}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "app-unknown"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
    ],
)
def test_a_code_opens_only_with_everything_that_belongs_to_it(
    app, world, changes, status, error
):
    code = agree(enter(world.sola), app)["code"]
    answer = exchange(app, **{"code": code, **changes})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert not ApplicationToken.objects.exists()


def test_a_code_of_another_application_is_refused(app, world):
    other = make_application(name="Other")
    code = agree(enter(world.sola), app)["code"]
    assert exchange(other, code).json()["error"] == "invalid_grant"
    assert exchange(app, code).status_code == 200


def test_a_code_works_once_and_its_second_use_ends_the_token(app, world):
    code = agree(enter(world.sola), app)["code"]
    token = exchange(app, code).json()["access_token"]
    assert userinfo(token).status_code == 200
    assert exchange(app, code).json()["error"] == "invalid_grant"
    assert userinfo(token).status_code == 401


def test_a_wrong_verifier_uses_the_code_up(app, world):
    code = agree(enter(world.sola), app)["code"]
    exchange(app, code, code_verifier="w" * 64)
    assert exchange(app, code).status_code == 400


def test_a_code_lives_a_minute(app, world):
    code = agree(enter(world.sola), app)["code"]
    AuthorisationCode.objects.update(expires_at=timezone.now())
    assert exchange(app, code).status_code == 400


def test_a_code_is_worth_nothing_after_the_sign_in(app, world):
    code = agree(enter(world.sola), app)["code"]
    now = timezone.now()
    row = Session.objects.filter(user=world.sola.user).latest("pk")
    identity.end_session(session_id=row.pk, now=now)
    assert exchange(app, code).status_code == 400


def _signed_out(world, app):
    row = Session.objects.filter(user=world.sola.user).latest("pk")
    identity.end_session(session_id=row.pk, now=timezone.now())


def _switched_off(world, app):
    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=timezone.now())


def _application_off(world, app):
    operations.switch_application(
        application_id=app.row.pk, on=False, actor=SYSTEM, now=timezone.now()
    )


def _over(world, app):
    ApplicationToken.objects.update(expires_at=timezone.now())


def _half(world, app):
    Session.objects.filter(user=world.sola.user).update(stage="password")


@pytest.mark.parametrize(
    "end", [_signed_out, _switched_off, _application_off, _over, _half]
)
def test_a_token_ends_with_what_stands_behind_it(app, world, end):
    token = exchange(app, agree(enter(world.sola), app)["code"]).json()["access_token"]
    assert userinfo(token).status_code == 200
    end(world, app)
    answer = userinfo(token)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_role_that_was_taken_is_gone_from_the_next_answer(app, world):
    token = exchange(app, agree(enter(world.sola), app)["code"]).json()["access_token"]
    identity.assign_role(
        user_id=world.sola.id, role_slug="auditor", unit_id=world.operator.pk,
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert userinfo(token).json()["groups"] == ["auditor", "support"]
    identity.unassign_role(
        user_id=world.sola.id, role_slug="support", unit_id=world.operator.pk,
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert userinfo(token).json()["groups"] == ["auditor"]


def test_a_role_of_a_part_is_told_with_its_part(app, world):
    """An owner of a reseller is no owner at the operator's other tools."""
    assert world.remi
    for slug, unit in (("owner", world.reseller), ("auditor", world.operator)):
        identity.assign_role(
            user_id=world.remi.id, role_slug=slug, unit_id=unit.pk,
            actor=SYSTEM, now=timezone.now(),
        )  # fmt: skip
    given = exchange(app, agree(enter(world.remi), app)["code"]).json()
    told = ["auditor", f"owner@{world.reseller.pk}", f"support@{world.reseller.pk}"]
    said = people.statement_of(given["id_token"])
    assert said is not None
    for claims in (said, userinfo(given["access_token"]).json()):
        assert claims["groups"] == claims["roles"] == told


def test_our_own_tokens_and_theirs_open_nothing_of_each_other(app, world):
    given = exchange(app, agree(enter(world.sola), app)["code"]).json()
    access = login(Api(), world.bisi)["access"]
    assert userinfo(access).status_code == 401
    assert userinfo(given["id_token"]).status_code == 401
    for token in (given["access_token"], given["id_token"]):
        answer = Api(bearer=token).get("/api/v1/customers")
        assert answer.status_code == 401
    assert people.statement_of(access) is None


@pytest.mark.parametrize("header", ["", "Basic eA==", "Bearer ", "Bearer x y"])
def test_userinfo_wants_a_token(app, header):
    headers = {"Authorization": header} if header else {}
    answer = Client().get("/oidc/userinfo", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_is_taken_back_by_its_own_application_only(app, world):
    other = make_application(name="Other")
    token = exchange(app, agree(enter(world.sola), app)["code"]).json()["access_token"]

    def revoke(who, text=token, secret=None):
        form = {
            "token": text, "client_id": who.row.client_id,
            "client_secret": secret or who.secret,
        }  # fmt: skip
        return Client().post("/oidc/revoke", form).status_code

    assert revoke(other) == 200
    assert userinfo(token).status_code == 200
    assert revoke(app, secret="wrong") == 401
    assert revoke(app, text="unknown") == 200
    assert revoke(app) == 200
    assert userinfo(token).status_code == 401


def test_no_table_holds_a_word_that_works(app, world):
    code = agree(enter(world.sola), app)["code"]
    token = exchange(app, code).json()["access_token"]
    kept = str(
        [*Application.objects.values(), *AuthorisationCode.objects.values(),
         *ApplicationToken.objects.values()]
    )  # fmt: skip
    for word in (app.secret, code, token):
        assert len(word) >= 43
        assert word not in kept


def test_old_codes_and_tokens_are_forgotten(app, world):
    exchange(app, agree(enter(world.sola), app)["code"])
    now = timezone.now()
    assert operations.forget_codes(now=now) == 0
    assert operations.forget_codes(now=now + timedelta(days=2)) == 2
    assert not AuthorisationCode.objects.exists()
    from apps.federation.tasks import forget_old

    assert forget_old() == 0


def test_a_new_secret_ends_the_old_one(app, world):
    code = agree(enter(world.sola), app)["code"]
    renewed = operations.renew_application_secret(
        application_id=app.row.pk, actor=SYSTEM, now=timezone.now()
    )
    assert exchange(app, code).status_code == 401
    assert exchange(renewed, code).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer x", "Basic %%%", "Basic " + base64.b64encode(b"nocolon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    ],
)  # fmt: skip
def test_a_header_that_proves_nobody(app, header):
    answer = Client().post(
        "/oidc/token",
        {"grant_type": "authorization_code", "client_id": app.row.client_id},
        headers={"Authorization": header},
    )
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="DotMac"'


def test_two_ways_to_prove_oneself_are_one_too_many(app, world):
    code = agree(enter(world.sola), app)["code"]
    basic = base64.b64encode(f"{app.row.client_id}:{app.secret}".encode()).decode()
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": RETURN,
        "code_verifier": VERIFIER,
    }  # fmt: skip
    for more in ({"client_secret": app.secret}, {"client_id": "app-other"}):
        answer = Client().post(
            "/oidc/token", {**form, **more},
            headers={"Authorization": f"Basic {basic}"},
        )  # fmt: skip
        assert answer.status_code == 401


def leave(browser, **query):
    return browser.get(f"/console/end-session?{urlencode(query)}")


def test_with_its_own_id_token_an_application_signs_the_person_out(app, world):
    browser = enter(world.sola)
    given = exchange(app, agree(browser, app)["code"]).json()
    answer = leave(
        browser, id_token_hint=given["id_token"], post_logout_redirect_uri=LEAVE,
        state="bye",
    )  # fmt: skip
    assert answer["Location"] == f"{LEAVE}?state=bye"
    assert browser.get("/console/").status_code == 302
    assert userinfo(given["access_token"]).status_code == 401


def test_without_it_the_person_is_asked(app, world):
    browser = enter(world.sola)
    page = leave(browser, client_id=app.row.client_id, post_logout_redirect_uri=LEAVE)
    assert page.status_code == 200
    assert browser.get("/console/").status_code == 200
    query = {"client_id": app.row.client_id, "post_logout_redirect_uri": LEAVE}
    answer = browser.post(f"/console/end-session?{urlencode(query)}")
    assert answer["Location"] == LEAVE
    assert browser.get("/console/").status_code == 302


def test_a_hint_of_another_sign_in_signs_nobody_out(app, world):
    given = exchange(app, agree(enter(world.sola), app)["code"]).json()
    other = enter(world.femi)
    assert leave(other, id_token_hint=given["id_token"]).status_code == 200
    assert other.get("/console/").status_code == 200


@pytest.mark.parametrize("hint", ["", "x.y.z", "e30.e30.", "x" * 5_000])
def test_nobody_is_sent_elsewhere_after_signing_out(app, world, hint):
    for to in ("https://evil.example/", LEAVE + "/"):
        answer = leave(
            Client(), id_token_hint=hint, post_logout_redirect_uri=to,
            client_id=app.row.client_id,
        )  # fmt: skip
        assert answer["Location"] == "/console/sign-in"
    unknown = leave(Client(), post_logout_redirect_uri=LEAVE, client_id="app-x")
    assert unknown["Location"] == "/console/sign-in"


# Keys -----------------------------------------------------------------------------


def _pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_id_tokens_are_signed_by_the_keys_of_the_file(world, tmp_path, algorithm):
    """RSA where there is a key for it: every program understands that."""
    file = tmp_path / "jwt.key"
    keys: list[Any] = [Ed25519PrivateKey.generate()]
    if algorithm == "RS256":
        keys += [rsa.generate_private_key(65537, 2048) for _each in range(2)]
    file.write_bytes(b"".join(_pem(key) for key in keys))
    file.chmod(0o600)
    with override_settings(JWT_KEY_PATH=file):
        app = make_application(asks_consent=False)
        given = exchange(app, told(ask(enter(world.sola), app))["code"]).json()
        published = KeySet.import_key_set(Client().get("/.well-known/jwks.json").json())
        document = Client().get("/.well-known/openid-configuration").json()

    assert document["id_token_signing_alg_values_supported"] == [algorithm]
    assert len(published.keys) == len(keys)
    found = jwt.decode(given["id_token"], published, algorithms=[algorithm])
    assert found.claims["aud"] == app.row.client_id
    if algorithm == "RS256":
        assert found.claims["at_hash"] == half(given["access_token"])
