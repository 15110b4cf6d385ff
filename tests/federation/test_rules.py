"""Pure decisions of federation, without a server or a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from apps.federation.rules.addresses import is_safe
from apps.federation.rules.admission import (
    Mapping,
    plain_domains,
    roles_for,
    second_factor_at,
)
from apps.federation.rules.flows import flow_id_of, s256, same, words_of
from apps.federation.rules.id_tokens import Expected, KeyUnknown, read_id_token
from apps.federation.rules.proofs import (
    Distrusted,
    Proof,
    Reading,
    from_plain,
    groups_in,
    proof_of_claims,
    to_plain,
)
from apps.federation.rules.provider import (
    answer_url,
    credentials_of,
    is_return_address,
    is_too_old,
    wish_of,
)
from apps.federation.rules.saml_documents import IdentityProvider, request_url
from apps.identity.rules import tokens

pytestmark = [pytest.mark.unit, pytest.mark.security]
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
EXPECTED = Expected(issuer="https://idp.example", client_id="dotmac", nonce="n")


def claims(**changes: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    return {
        "iss": EXPECTED.issuer, "aud": "dotmac", "sub": "p", "nonce": "n",
        "iat": at, "exp": at + 60, **changes,
    }  # fmt: skip


def read(key, alg="RS256", keys=None, header=None, access_token="", **changes):
    token = jwt.encode(
        {"alg": alg, **(header or {})}, claims(**changes), key, algorithms=[alg]
    )
    published = keys or [key.as_dict(private=False)]
    return read_id_token(token, published, EXPECTED, now=NOW, access_token=access_token)


# Addresses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "loopback", "query", "good"),
    [
        ("https://idp.example", False, False, True),
        ("https://idp.example:8443/realms/isp", False, False, True),
        ("https://idp.example/a?b=c", False, True, True),
        ("https://idp.example/a?b=c", False, False, False),
        ("http://localhost:8080", True, False, True),
        ("http://[::1]:8080", True, False, True),
        ("http://127.0.0.1", False, False, False),
        ("http://10.0.0.1", True, False, False),
        ("https://idp.example:99999", False, False, False),
        ("https://idp.example/\u00ad", False, False, False),
        ("https://idp.example/\n", False, False, False),
        ("//idp.example", True, False, False),
    ],
)
def test_which_addresses_are_asked(address, loopback, query, good):
    assert is_safe(address, loopback=loopback, query=query) is good


def test_where_people_are_sent_back_to():
    assert is_return_address("http://127.0.0.1:7/x")
    assert not is_return_address("http://tool.example/x")
    assert answer_url("https://a.example/?x=1", code="c d", state="") == (
        "https://a.example/?x=1&code=c+d"
    )
    assert answer_url("https://a.example/", code="c") == "https://a.example/?code=c"


# Flows ----------------------------------------------------------------------------


def test_each_flow_has_words_of_its_own():
    one = words_of("key", flow_id=7, nonce="a")
    assert one == words_of("key", flow_id=7, nonce="a")
    others = [
        words_of("other", flow_id=7, nonce="a"),
        words_of("key", flow_id=8, nonce="a"),
        words_of("key", flow_id=7, nonce="b"),
    ]
    words = {word for w in [one, *others] for word in (w.state, w.nonce, w.verifier)}
    assert len(words) == 12
    assert flow_id_of(one.request_id) == 7
    assert one.challenge == s256(one.verifier)
    assert not same(one.state, others[0].state)


@pytest.mark.parametrize("text", ["", "_dm0-x", "_dm7-", "dm7", f"_dm7-{'x' * 44}"])
def test_what_is_no_request_of_ours(text):
    assert flow_id_of(text) is None


# ID tokens ------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_keys_of_every_kind_are_understood():
    for key, alg in (
        (RSAKey.generate_key(2048), "RS512"),
        (RSAKey.generate_key(2048), "PS256"),
        (ECKey.generate_key("P-256"), "ES256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ):
        assert read(key, alg, access_token="t")["sub"] == "p"


def test_the_key_is_the_one_that_the_header_names():
    one = RSAKey.generate_key(2048, parameters={"kid": "1"})
    two = RSAKey.generate_key(2048, parameters={"kid": "2"})
    both = [one.as_dict(private=False), two.as_dict(private=False)]
    assert read(one, keys=both, header={"kid": "1"})["sub"] == "p"
    for header in ({"kid": "3"}, {}):
        with pytest.raises(KeyUnknown):
            read(one, keys=both, header=header)
    with pytest.raises(Distrusted, match="InvalidSignature"):
        read(one, keys=both, header={"kid": "2"})


@pytest.mark.parametrize(
    "facts", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}, {"kid": "other"}]
)
def test_a_key_for_something_else_does_not_count(facts):
    key = RSAKey.generate_key(2048, parameters={"kid": "1"})
    published = [{**key.as_dict(private=False), **facts}]
    with pytest.raises(KeyUnknown):
        read(key, keys=published, header={"kid": "1"})


def test_a_published_key_that_is_broken_opens_nothing():
    key = RSAKey.generate_key(2048)
    for broken in ({"kty": "RSA"}, {"kty": "RSA", "n": "!", "e": "!"}):
        with pytest.raises(Distrusted):
            read(key, keys=[broken])


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_key_that_is_too_short_opens_nothing():
    with pytest.raises(Distrusted, match="InvalidKeyError"):
        read(RSAKey.generate_key(1024))


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"aud": ["dotmac"]}, True),
        ({"aud": ["dotmac", "x"], "azp": "dotmac"}, True),
        ({"exp": int(NOW.timestamp()) - 119}, True),
        ({"exp": int(NOW.timestamp()) - 120}, False),
        ({"iat": int(NOW.timestamp()) + 120}, True),
        ({"iat": int(NOW.timestamp()) + 121}, False),
        ({"nbf": int(NOW.timestamp()) + 121}, False),
        ({"iat": 1.5}, False),
        ({"exp": True}, False),
    ],
)
def test_times_and_audiences(changes, good):
    key = RSAKey.generate_key(2048)
    if good:
        assert read(key, **changes)["nonce"] == "n"
    else:
        with pytest.raises(Distrusted):
            read(key, **changes)


# Proofs ---------------------------------------------------------------------------


def test_a_proof_keeps_its_shape_on_the_way():
    for at in (None, NOW):
        proof = Proof(subject="s", groups=("a", "b"), authenticated_at=at)
        assert from_plain(to_plain(proof)) == proof


def test_groups_are_names():
    assert groups_in("one") == ("one",)
    assert groups_in(["a", 1, "", "g" * 256, None]) == ("a",)
    assert groups_in(None) == groups_in({"a": 1}) == groups_in(7) == ()
    with pytest.raises(Distrusted):
        groups_in(["a"] * 501)


@pytest.mark.parametrize("at", [None, "now", 0, -1, 2**40, True, 1.5])
def test_a_time_that_is_none_is_none(at):
    found = proof_of_claims({"sub": "p", "auth_time": at}, Reading("groups"))
    assert found.authenticated_at is None


def test_a_claim_is_found_by_name_before_by_path():
    facts = {"sub": "p", "a.b": ["x"], "a": {"b": ["y"]}}
    assert proof_of_claims(facts, Reading("a.b")).groups == ("x",)
    del facts["a.b"]
    assert proof_of_claims(facts, Reading("a.b")).groups == ("y",)
    assert proof_of_claims(facts, Reading("a.b.c")).groups == ()


def test_a_second_factor_is_never_from_the_future():
    late = Proof(subject="p", mfa=True, authenticated_at=NOW + timedelta(hours=1))
    assert second_factor_at(late, trusts_mfa=True, now=NOW) == NOW
    assert second_factor_at(late, trusts_mfa=False, now=NOW) is None


def test_groups_are_compared_letter_by_letter():
    table = [Mapping("noc", 1, 2), Mapping("NOC", 3, 4)]
    assert roles_for(["noc"], table) == {(1, 2)}
    assert roles_for([" noc", "no"], table) == set()
    assert plain_domains([]) is None


# The provider ---------------------------------------------------------------------


def test_a_wish_without_an_age_is_never_too_old():
    asked = {
        "response_type": "code", "scope": "openid", "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }  # fmt: skip
    long_ago = NOW - timedelta(days=9)
    assert not is_too_old(wish_of(asked), proved_at=long_ago, now=NOW)
    both = wish_of({**asked, "prompt": "login", "max_age": "86400"})
    assert both.age_s_max == 120
    zero = wish_of({**asked, "max_age": "0"})
    assert not is_too_old(zero, proved_at=NOW - timedelta(seconds=119), now=NOW)
    assert is_too_old(zero, proved_at=NOW - timedelta(seconds=121), now=NOW)


def test_names_in_the_header_are_form_encoded():
    import base64

    text = base64.b64encode(b"app%3A1:se%20cret%3A").decode()
    found = credentials_of(f"basic {text}", {})
    assert found is not None
    assert (found.client_id, found.secret) == ("app:1", "se cret:")


# Statements -----------------------------------------------------------------------


def test_statements_are_told_from_access_tokens():
    keys = tokens.signing_keys(
        [Ed25519PrivateKey.generate()], [rsa.generate_private_key(65537, 2048)]
    )
    only_ed = tokens.signing_keys([keys.private])
    statement = tokens.write_statement(keys, {"sub": "7"})
    assert tokens.read_statement(keys, statement) == {"sub": "7"}
    plain = tokens.write_statement(only_ed, {"sub": "8"})
    assert tokens.read_statement(keys, plain) == {"sub": "8"}
    access = tokens.write_access_token(
        keys, tokens.AccessClaims(7, 7), issuer="i", jti="j", now=NOW
    )
    for token in (access, "x.y.z", "x" * 5_000, statement[:-4] + "AAAA"):
        with pytest.raises(tokens.TokenInvalid):
            tokens.read_statement(keys, token)
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_statement(only_ed, statement)
    kinds = [key["kty"] for key in tokens.key_set(keys)["keys"]]
    assert kinds == ["OKP", "RSA"]


def test_a_request_joins_an_address_that_has_a_query():
    facts: dict[str, Any] = {
        "request_id": "_a",
        "audience": "a",
        "recipient": "r",
        "now": NOW,
    }
    for url, mark in (("https://i.example/s", "?"), ("https://i.example/s?x=1", "&")):
        provider = IdentityProvider(entity_id="e", sso_url=url, certificates=())
        assert request_url(provider, **facts).startswith(f"{url}{mark}SAMLRequest=")
