"""Access tokens that nobody of ours made, or that were made for something else."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.conf import settings
from django.utils import timezone

from apps.identity import selectors
from apps.identity.models import Session
from apps.identity.rules import tokens
from apps.identity.selectors.keys import read_signing_keys
from dotmac.core.crypto import KeyFileRefused
from tests.world import NOON, Api, login

URL = "/api/v1/customers"
pytestmark = pytest.mark.security


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def honest(world):
    """An honest token with its parts and what signed it."""
    token = login(Api(), world.chidi)["access"]
    header, claims = jwt.get_unverified_header(token), jwt.decode(
        token, options={"verify_signature": False}
    )
    return token, header, claims


def resigned(claims, header, key=None):
    keys = selectors.jwt_keys()
    return jwt.encode(claims, key or keys.private, algorithm="EdDSA", headers=header)


def other_claims():
    now = int(timezone.now().timestamp())
    return {
        "no issuer": {"iss": None},
        "another issuer": {"iss": "https://evil.example"},
        "no audience": {"aud": None},
        "another audience": {"aud": "dotmac-portal"},
        "a list of audiences": {"aud": ["dotmac-api", "other"]},
        "no subject": {"sub": None},
        "a subject that is no number": {"sub": "admin"},
        "a negative subject": {"sub": "-1"},
        "another subject": {"sub": "1"},
        "no session": {"sid": None},
        "a session as text": {"sid": "1"},
        "a session as truth": {"sid": True},
        "an unknown session": {"sid": 2**40},
        "no type": {"typ": None},
        "a refresh token": {"typ": "refresh"},
        "no id": {"jti": None},
        "no expiry": {"exp": None},
        "expired": {"exp": now - 1, "iat": now - 601},
        "expires as text": {"exp": "9999999999"},
        "expires as a fraction": {"exp": now + 600.5},
        "no birth": {"iat": None},
        "from the future": {"iat": now + 3600, "exp": now + 4200},
        "an issuer like ours": {"iss": f"{settings.BASE_URL}/"},
        "an audience in capitals": {"aud": "DotMac-API"},
        "no audience but a list": {"aud": []},
        "a subject with a blank": {"sub": " 1"},
        "a subject in other digits": {"sub": "\u0661"},
        "a session of nobody": {"sid": 0},
        "a negative session": {"sid": -1},
        "a session as a fraction": {"sid": 1.0},
        "an ID token": {"typ": "ID"},
        "a type in capitals": {"typ": "ACCESS"},
        "expired for a second": {"exp": now, "iat": now - 600},
        "an expiry of nothing": {"exp": 0},
        "a birth as text": {"iat": "0"},
        "not yet": {"nbf": now + 3600},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("case", sorted(other_claims()))
def test_refuses_honestly_signed_tokens_that_say_something_else(world, honest, case):
    token, header, claims = honest
    spoiled = {**claims, **other_claims()[case]}
    spoiled = {name: value for name, value in spoiled.items() if value is not None}

    answer = Api(resigned(spoiled, header)).get(URL)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert Api(token).get(URL).status_code == 200


def forged():
    """Texts made of an honest token (header, claims, signature) by an attacker."""
    return {**_other_algorithms(), **_other_keys(), **_other_texts()}


def _other_algorithms():
    public = next(iter(selectors.jwt_keys().public.values()))
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "alg none": lambda h, c, s: f"{part({**h, 'alg': 'none'})}.{part(c)}.",
        "alg None": lambda h, c, s: f"{part({**h, 'alg': 'None'})}.{part(c)}.{s}",
        "alg missing": lambda h, c, s: f"{part({'kid': h['kid']})}.{part(c)}.{s}",
        "HS256 with the public key": lambda h, c, s: jwt.api_jws.PyJWS().encode(
            json.dumps(c).encode(),
            raw,
            algorithm="HS256",
            headers={**h, "alg": "HS256"},
        ),
        "HS256 with the public PEM as bytes": lambda h, c, s: _hmac(h, c, pem),
        "RS256": lambda h, c, s: jwt.encode(
            c,
            rsa.generate_private_key(65537, 2048),
            algorithm="RS256",
            headers={**h, "alg": "RS256"},
        ),
        "ES256": lambda h, c, s: jwt.encode(
            c,
            ec.generate_private_key(ec.SECP256R1()),
            algorithm="ES256",
            headers={**h, "alg": "ES256"},
        ),
    }


def _other_keys():
    stranger = Ed25519PrivateKey.generate()
    return {
        "another key, our kid": lambda h, c, s: resigned(c, h, stranger),
        "another key, its kid": lambda h, c, s: resigned(
            c, {**h, "kid": tokens.key_id(stranger.public_key())}, stranger
        ),
        "no kid": lambda h, c, s: resigned(c, {"typ": h["typ"]}),
        "kid is a path": lambda h, c, s: resigned(c, {**h, "kid": "../../dev/null"}),
        "kid is a list": lambda h, c, s: f"{part({**h, 'kid': ['x']})}.{part(c)}.{s}",
        "a key of its own": lambda h, c, s: resigned(
            c, {**h, "kid": "x", "jwk": {"kty": "OKP"}}, stranger
        ),
        "another header type": lambda h, c, s: resigned(c, {**h, "typ": "JWT"}),
    }


def _other_texts():
    return {
        "claims exchanged": lambda h, c, s: f"{part(h)}.{part({**c, 'sub': '1'})}.{s}",
        "signature cut": lambda h, c, s: f"{part(h)}.{part(c)}.{s[:-4]}",
        "no signature": lambda h, c, s: f"{part(h)}.{part(c)}.",
        "two parts": lambda h, c, s: f"{part(h)}.{part(c)}",
        "not JSON": lambda h, c, s: f"{part(b'x')}.{part(b'y')}.{s}",
        "claims are a list": lambda h, c, s: f"{part(h)}.{part([1])}.{s}",
        "not base64": lambda h, c, s: "%.%.%",
        "empty": lambda h, c, s: "",
        "very long": lambda h, c, s: "a" * 5000,
        "a refresh token": lambda h, c, s: "Zm9vYmFy",
        "four parts": lambda h, c, s: f"{part(h)}.{part(c)}.{s}.{s}",
        "an encrypted one": lambda h, c, s: f"{part({**h, 'enc': 'A256GCM'})}...x.y",
        "critical extensions": lambda h, c, s: resigned(
            c, {**h, "crit": ["exp"], "b64": False}
        ),
        "signature of another": lambda h, c, s: f"{part(h)}.{part(c)}.{'A' * 86}",
        "a blank inside": lambda h, c, s: f"{part(h)} .{part(c)}.{s}",
    }


def _hmac(header, claims, secret):
    import hashlib
    import hmac as stdlib

    signed = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    return f"{signed}.{part(stdlib.digest(secret, signed.encode(), hashlib.sha256))}"


CASES = (
    "alg none", "alg None", "alg missing", "HS256 with the public key",
    "HS256 with the public PEM as bytes", "another key, our kid",
    "another key, its kid", "no kid", "kid is a path", "kid is a list",
    "a key of its own", "another header type", "RS256", "ES256", "claims exchanged",
    "signature cut", "no signature", "two parts", "not JSON", "claims are a list",
    "not base64", "empty", "very long", "a refresh token", "four parts",
    "an encrypted one", "critical extensions", "signature of another", "a blank inside",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("case", CASES)
def test_refuses_forged_tokens(world, honest, case):
    token, header, claims = honest
    text = forged()[case](header, claims, token.rsplit(".", 1)[1])

    answer = Api().get(URL, headers={"Authorization": f"Bearer {text}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.unit
def test_sixty_tokens_and_more_are_tried():
    assert len(other_claims()) + len(CASES) >= 60


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["Basic YWRhOng=", "Token abc", "Bearer", "x"])
def test_refuses_other_kinds_of_credentials(world, header):
    answer = Api().get(URL, headers={"Authorization": header})

    assert answer.json()["code"] == "invalid_token"


@pytest.mark.django_db
def test_a_bad_token_does_not_stop_a_sign_in(world):
    answer = Api("nonsense").post(
        "/api/v1/auth/login",
        {"username": "chidi", "password": world.chidi.password},
    )

    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_token_of_an_unfinished_session_opens_nothing(world, honest):
    token, _, claims = honest
    Session.objects.filter(pk=claims["sid"]).update(stage="password")

    assert Api(token).get(URL).status_code == 401


@pytest.mark.django_db
def test_a_token_dies_with_its_session(world):
    mine = login(Api(), world.chidi)
    assert Api(mine["access"]).get(URL).status_code == 200

    out = Api().post("/api/v1/auth/logout", {"refresh": mine["refresh"]})

    assert (out.status_code, out.content) == (204, b"")
    assert Api(mine["access"]).get(URL).status_code == 401
    again = Api().post("/api/v1/auth/logout", {"refresh": mine["refresh"]})
    assert again.status_code == 204


@pytest.mark.django_db
def test_publishes_the_keys_and_never_the_private_half(world, honest):
    token, header, _ = honest
    answer = Api().get("/api/v1/auth/keys")

    key = next(key for key in answer.json()["keys"] if key["kid"] == header["kid"])
    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}
    verified = jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=["EdDSA"],
        audience="dotmac-api",
        issuer=settings.BASE_URL,
    )
    assert verified["typ"] == "access"
    known = Api().get("/.well-known/jwks.json")
    assert known.json() == answer.json()
    assert "max-age" in known["Cache-Control"]


# Keys and rules, without a database ----------------------------------------


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_two_keys_live_during_rotation(tmp_path):
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    file = tmp_path / "jwt.key"
    file.write_bytes(pem(new) + pem(old))
    file.chmod(0o600)
    claims = tokens.AccessClaims(user_id=5, session_id=7)
    facts: dict[str, Any] = {"issuer": "https://isp.example", "now": NOON}

    keys = read_signing_keys(file)
    before = tokens.write_access_token(
        tokens.signing_keys([old]), claims, jti="a", **facts
    )
    after = tokens.write_access_token(keys, claims, jti="b", **facts)

    assert jwt.get_unverified_header(after)["kid"] == tokens.key_id(new.public_key())
    for token in (before, after):
        assert tokens.read_access_token(keys, token, **facts) == claims
    with pytest.raises(tokens.TokenInvalid):
        tokens.read_access_token(tokens.signing_keys([new]), before, **facts)


@pytest.mark.parametrize(
    ("shift", "good"), [(-61, False), (-59, True), (0, True), (599, True), (600, False)]
)
def test_lives_for_ten_minutes_of_the_callers_clock(shift, good):
    keys = tokens.signing_keys([Ed25519PrivateKey.generate()])
    claims = tokens.AccessClaims(user_id=5, session_id=7)
    token = tokens.write_access_token(keys, claims, issuer="i", jti="a", now=NOON)
    now = NOON + timedelta(seconds=shift)

    if good:
        assert tokens.read_access_token(keys, token, issuer="i", now=now) == claims
    else:
        with pytest.raises(tokens.TokenInvalid):
            tokens.read_access_token(keys, token, issuer="i", now=now)


def test_refuses_bad_key_files(tmp_path):
    file = tmp_path / "jwt.key"
    with pytest.raises(KeyFileRefused, match="Cannot read"):
        read_signing_keys(file)
    cases = {
        "must hold": b"nothing",
        "broken": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "must hold Ed25519": pem(ec.generate_private_key(ec.SECP256R1())),
        "must hold Ed25519 keys": pem(rsa.generate_private_key(65537, 2048)),
        "less than 2048": pem(Ed25519PrivateKey.generate())
        + pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505
    }
    for says, content in cases.items():
        bad = tmp_path / says.replace(" ", "")
        bad.write_bytes(content)
        bad.chmod(0o600)
        with pytest.raises(KeyFileRefused, match=says):
            read_signing_keys(bad)
    file.write_bytes(pem(Ed25519PrivateKey.generate()))
    file.chmod(0o644)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        read_signing_keys(file)
