"""Staff come in through an OpenID provider."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc.jwk import RSAKey

from apps.federation.models import LinkedPerson, SignInFlow
from apps.ops.models import AuditEntry
from tests.federation.making import make_connection, switched_on
from tests.federation.oidc_server import CLIENT
from tests.federation.ways import (
    SLUG,
    ask,
    assert_refused,
    come_in,
    session_of,
)
from tests.sessions import enter

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


def test_the_sign_in_page_offers_it_at_its_own_door(world, provider, connect):
    connect(provider)
    assert b"Sign in with Head office" in Client().get("/console/sign-in").content
    assert b"Head office" not in Client().get("/portal/sign-in").content


def test_a_colleague_comes_in_and_owes_the_own_code(world, provider, connect):
    connect(provider)
    assert world.sola
    browser = Client()

    answer = come_in(browser, wanted="/console/customers")

    assert answer["Location"] == "/console/sign-in/code?next=%2Fconsole%2Fcustomers"
    row = session_of(browser)
    assert (row.user_id, row.stage, row.mfa_at) == (world.sola.id, "password", None)
    assert browser.get("/console/").status_code == 302
    answer = browser.post(answer["Location"], {"otp": world.sola.otp()})
    assert answer["Location"] == "/console/customers"
    assert browser.get("/console/").status_code == 200
    actions = AuditEntry.objects.values_list("action", flat=True)
    assert {"federation.admit_person", "identity.sign_in"} <= set(actions)


def test_the_request_has_pkce_state_and_nonce_and_no_secret(world, provider, connect):
    connect(provider, extra_scopes="groups email")
    address = ask(Client())
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email profile groups"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) == 43
    assert "secret" not in address


def test_no_table_holds_what_would_help_a_thief(world, provider, connect):
    connect(provider)
    asked = parse_qs(urlsplit(ask(Client())).query)
    flow = SignInFlow.objects.get()
    columns = " ".join(str(value) for value in vars(flow).values())
    assert asked["state"][0] not in columns
    assert asked["nonce"][0] not in columns


@pytest.mark.parametrize(
    "claims", [{"amr": ["pwd", "mfa"]}, {"amr": ["pwd", "otp"]}, {"acr": "gold"}]
)
def test_a_trusted_second_factor_counts_from_when_it_was_shown(
    world, provider, connect, claims
):
    connect(provider, trusts_mfa=True, mfa_words="gold silver")
    assert world.sola
    shown = int(time.time()) - 40
    provider.person |= {**claims, "auth_time": shown}
    browser = Client()

    answer = come_in(browser)

    assert answer["Location"] == "/console/"
    row = session_of(browser)
    assert row.stage == "full"
    assert row.mfa_at == datetime.fromtimestamp(shown, tz=UTC)
    assert browser.get("/console/").status_code == 200


def test_a_second_factor_of_unknown_age_is_too_old_for_danger(world, provider, connect):
    connect(provider, trusts_mfa=True)
    assert world.sola
    provider.person |= {"amr": ["mfa"]}
    browser = Client()
    come_in(browser)
    assert session_of(browser).mfa_at <= datetime.now(UTC) - timedelta(minutes=10)
    answer = browser.get("/console/my-security/password")
    assert answer["Location"].startswith("/console/step-up")


@pytest.mark.parametrize(
    ("trusted", "claims"),
    [
        (False, {"amr": ["mfa"]}),
        (True, {"amr": ["pwd"]}),
        (True, {"amr": ["otp"]}),
        (True, {"amr": "mfa"}),
        (True, {"acr": "mfa"}),
        (True, {}),
    ],
)
def test_any_other_word_leaves_our_code_owed(world, provider, connect, trusted, claims):
    connect(provider, trusts_mfa=trusted)
    assert world.sola
    provider.person |= claims
    browser = Client()
    assert "/sign-in/code" in come_in(browser)["Location"]
    assert session_of(browser).mfa_at is None


def test_who_is_signed_in_goes_on(world, provider, connect):
    connect(provider)
    answer = enter(world.sola).get(f"/console/federation/{SLUG}/begin")
    assert answer["Location"] == "/console/"
    assert not SignInFlow.objects.exists()


def test_the_secret_may_travel_in_the_form(world, provider, connect):
    provider.posts_secret = True
    connect(provider)
    assert world.sola
    assert "/sign-in/code" in come_in()["Location"]


def test_a_provider_may_know_no_secret_of_ours(world, provider):
    provider.knows_no_secret = True
    switched_on(make_connection(issuer=provider.base, client_id=CLIENT))
    assert world.sola
    assert "/sign-in/code" in come_in()["Location"]


def test_keys_that_the_provider_renewed_are_fetched(world, provider, connect):
    connect(provider)
    assert world.sola
    come_in()
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "two"})
    from apps.federation.gateways import oidc

    for kept in oidc._KEYS.values():
        kept.at -= timedelta(seconds=31)
    before = provider.asked.count("/keys")
    assert "/sign-in/code" in come_in()["Location"]
    assert provider.asked.count("/keys") == before + 1
    # A stranger's key does not make us ask again and again.
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "three"})
    assert_refused(come_in())
    assert provider.asked.count("/keys") == before + 1


def test_what_only_userinfo_says_is_added(world, provider, connect):
    connect(provider)
    assert world.sola
    provider.more = {
        "email": provider.person.pop("email"),
        "email_verified": provider.person.pop("email_verified"),
        "groups": ["admins"],
        "amr": ["mfa"],
    }
    assert "/sign-in/code" in come_in()["Location"]
    person = LinkedPerson.objects.get()
    assert person.email == "sola@demo-isp.example"
    assert person.groups == ["everybody"]


def test_userinfo_verifies_only_the_address_it_names(world, provider, connect):
    connect(provider)
    assert world.sola
    del provider.person["email_verified"], provider.person["groups"]
    provider.more = {"email": "other@demo-isp.example", "email_verified": True}
    assert_refused(come_in(), "email_unverified")


def test_userinfo_of_another_person_is_refused(world, provider, connect):
    connect(provider)
    assert world.sola
    del provider.person["groups"]
    provider.more = {"sub": "p-2", "groups": ["admins"]}
    assert_refused(come_in())
