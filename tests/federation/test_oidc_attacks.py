"""Answers of OpenID providers that do not stand up open nothing."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from apps.federation.gateways import oidc
from apps.federation.models import SignInFlow
from apps.federation.operations import forget_flows
from apps.identity import operations as identity
from apps.identity.models import Session, TotpDevice
from dotmac.core.models import open_sealed
from tests.federation.making import make_connection
from tests.federation.ways import (
    SLUG,
    answered,
    ask,
    assert_refused,
    come_in,
    nobody_linked,
)
from tests.sessions import enter
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.security, pytest.mark.django_db]


def _set(**values):
    return lambda server: setattr(server, "twist", lambda claims: claims.update(values))


def _drop(*names):
    return lambda server: setattr(
        server, "twist", lambda claims: [claims.pop(name) for name in names]
    )


def _sign(name):
    return lambda server: setattr(server, "sign", getattr(server, name))


def _say(text):
    return lambda server: setattr(server, "sign", lambda claims: text)


SOON = int(time.time()) + 5_000_000
ATTACKS = {
    "another nonce": _set(nonce="x" * 43),
    "a nonce of another kind": _set(nonce=7),
    "no nonce": _drop("nonce"),
    "another audience": _set(aud="grafana"),
    "no audience": _drop("aud"),
    "several audiences": _set(aud=["dotmac", "grafana"]),
    "another party among several": _set(aud=["dotmac", "grafana"], azp="grafana"),
    "another party": _set(azp="grafana"),
    "another issuer": _set(iss="https://evil.example"),
    "expired": _set(exp=int(time.time()) - 300),
    "no end": _drop("exp"),
    "an end in words": _set(exp="tomorrow"),
    "from the future": _set(iat=SOON, exp=SOON + 300),
    "not yet": _set(nbf=SOON),
    "another access token": _set(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "no subject": _drop("sub"),
    "a subject of another kind": _set(sub=["p-1"]),
    "an endless subject": _set(sub="p" * 256),
    "too many groups": _set(groups=["g"] * 501),
    "alg none": _sign("unsigned"),
    "the public key as a password": _sign("by_public_key"),
    "another key": _sign("by_other_key"),
    "no token": _say("not.a.token"),
    "an endless token": _say("x" * 40_000),
    "an unknown algorithm": _say("eyJhbGciOiJIUzUxMiJ9.e30.AA"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_does_not_fit_opens_nothing(world, provider, connect, attack):
    connect(provider, trusts_mfa=True)
    assert world.sola
    provider.person |= {"amr": ["mfa"], "auth_time": int(time.time())}
    ATTACKS[attack](provider)
    before = Session.objects.count()
    assert_refused(come_in())
    assert Session.objects.count() == before
    assert nobody_linked()


def test_the_same_person_without_an_attack_comes_in(world, provider, connect):
    connect(provider, trusts_mfa=True)
    assert world.sola
    provider.person |= {"amr": ["mfa"], "auth_time": int(time.time())}
    assert come_in()["Location"] == "/console/"


@pytest.mark.parametrize(
    "twist",
    [
        lambda path: path.replace("state=", "state=x"),
        lambda path: path.replace("state=", "was="),
        lambda path: path.replace("code=", "was="),
        lambda path: path.replace("iss=http", "iss=https"),
        lambda path: path.replace("code=", "code=x"),
        lambda path: path + "&error=access_denied",
        lambda path: path.replace("code=", "code=" + "x" * 5_000),
    ],
    ids=["state", "no-state", "no-code", "mix-up", "code", "error", "endless"],
)
def test_an_answer_that_was_tampered_with_is_refused(world, provider, connect, twist):
    connect(provider)
    assert world.sola
    browser = Client()
    assert_refused(browser.get(twist(answered(ask(browser)))))


def test_an_answer_counts_once_and_in_its_own_browser(world, provider, connect):
    connect(provider)
    assert world.sola
    victim, attacker = Client(), Client()
    path = answered(ask(victim))
    ask(attacker)
    assert_refused(attacker.get(path))
    assert_refused(Client().get(path))
    assert victim.get(path).status_code == 302
    replayed = victim.get(path)
    assert replayed.status_code == 401


def test_two_tabs_come_back_in_any_order(world, provider, connect):
    connect(provider)
    assert world.sola
    browser = Client()
    first, second = ask(browser), ask(browser)
    assert browser.get(answered(first)).status_code == 302
    assert first != second


def test_a_flow_is_over_after_ten_minutes(world, provider, connect):
    connect(provider)
    assert world.sola
    browser = Client()
    path = answered(ask(browser))
    SignInFlow.objects.update(expires_at=datetime.now(UTC))
    assert_refused(browser.get(path))
    SignInFlow.objects.update(expires_at=datetime.now(UTC) - timedelta(days=2))
    assert forget_flows(now=datetime.now(UTC)) == 1
    assert forget_flows(now=datetime.now(UTC)) == 0


def test_eight_answers_that_do_not_stand_up_lock_the_address(world, provider, connect):
    connect(provider)
    assert world.sola
    for _each in range(8):
        assert Client().get(f"/console/federation/{SLUG}/callback").status_code == 401
    locked = come_in()
    assert locked.status_code == 429
    assert int(locked["Retry-After"]) > 0


def test_a_name_that_is_locked_out_here_is_locked_out_by_this_way_too(
    world, provider, connect
):
    connect(provider)
    assert world.sola
    for _each in range(8):
        Client().post("/console/sign-in", {"username": "sola", "password": "wrong"})
    assert come_in().status_code == 429


def test_who_was_switched_off_stays_outside(world, provider, connect):
    connect(provider)
    assert world.sola
    assert come_in().status_code == 302
    identity.deactivate_user(user_id=world.sola.id, actor=SYSTEM, now=world.now)
    assert_refused(come_in(), "not_here")


def test_who_lost_the_second_factor_is_told_so(world, provider, connect):
    connect(provider)
    TotpDevice.objects.filter(user_id=world.sola.id).delete()
    answer = come_in()
    assert answer.status_code == 401
    assert b"ask for an invitation" in answer.content


def test_a_provider_that_is_away_is_told_apart(world, provider, connect):
    connect(provider)
    browser, late = Client(), Client()
    path, other = answered(ask(browser)), answered(ask(late))
    provider.routes = {"/token": lambda *_asked: (503, {}, b"")}
    assert browser.get(path).status_code == 503
    oidc.forget()
    assert late.get(other).status_code == 503
    assert Client().get(f"/console/federation/{SLUG}/begin").status_code == 503


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"access_token": "a"}', b"[" * 100_000]
)
def test_a_token_endpoint_that_talks_nonsense(world, provider, connect, body):
    connect(provider)
    provider.routes["/token"] = lambda *_asked: (200, {}, body)
    assert_refused(come_in())


@pytest.mark.parametrize("path", ["begin", "callback", "finish"])
def test_what_is_off_or_unknown_is_not_there(world, provider, connect, path):
    make_connection(issuer=provider.base)
    for slug in (SLUG, "no-such-thing"):
        assert Client().get(f"/console/federation/{slug}/{path}").status_code == 404
        assert Client().get(f"/portal/federation/{slug}/{path}").status_code == 404


def test_the_secret_is_sealed_and_never_shown(world, provider, connect):
    from tests.federation.oidc_server import SECRET

    row = connect(provider)
    assert SECRET.encode() not in bytes(row.secret)
    assert open_sealed(row, "secret") == SECRET
    browser = enter(world.ada)
    for path in ("", "/change"):
        body = browser.get(f"/console/connections/{row.pk}{path}").content.decode()
        assert SECRET.replace("&", "&amp;") not in body


def test_an_address_to_return_to_that_is_elsewhere_is_dropped(world, provider, connect):
    connect(provider, trusts_mfa=True)
    assert world.sola
    provider.person |= {"amr": ["mfa"]}
    assert come_in(wanted="https://evil.example/")["Location"] == "/console/"
    assert come_in(wanted="/console/" + "x" * 3_000)["Location"] == "/console/"
