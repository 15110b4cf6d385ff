"""Providers on loopback, and browsers that go to them and come back.

Imports stand inside: pytest reads this file before Django has its settings.
"""

from __future__ import annotations

import pytest

BASE = "http://127.0.0.1:8000"
SLUG = "head-office"


@pytest.fixture
def forget():
    """What providers published is asked anew in each test."""
    from apps.federation.gateways import oidc

    oidc.forget()
    yield
    oidc.forget()


def _oidc(door):
    from tests.federation.oidc_server import OidcServer

    server = OidcServer(f"{BASE}/{door}/federation/{SLUG}/callback")
    server.person = {
        "sub": "p-1", "email": "sola@demo-isp.example", "email_verified": True,
        "name": "Sola Martins", "groups": ["everybody"],
    }  # fmt: skip
    return server


@pytest.fixture
def provider(forget):
    """An OpenID provider for staff."""
    server = _oidc("console")
    yield server
    server.close()


@pytest.fixture
def portal_provider(forget):
    """An OpenID provider for customers."""
    server = _oidc("portal")
    yield server
    server.close()


@pytest.fixture
def connect(world):
    """connect(server, **facts) is a connection that is on."""
    from tests.federation.making import make_connection, switched_on
    from tests.federation.oidc_server import CLIENT, SECRET

    def connect(server, audience="staff", **facts):
        row = make_connection(
            audience=audience, issuer=server.base, client_id=CLIENT, secret=SECRET,
            **facts,
        )  # fmt: skip
        return switched_on(row)

    return connect


@pytest.fixture
def saml(forget):
    """A SAML provider for staff."""
    from tests.federation.saml_server import SamlServer

    root = f"{BASE}/console/federation/{SLUG}"
    server = SamlServer(f"{root}/metadata", f"{root}/acs")
    server.attributes = {"mail": ["sola@demo-isp.example"], "groups": ["everybody"]}
    yield server
    server.close()


@pytest.fixture
def saml_connection(world, saml):
    """The connection to it, on; `trusts_email`, since SAML verifies nothing."""
    from tests.federation.making import make_connection, switched_on

    row = make_connection(kind="saml", metadata=saml.metadata, trusts_email=True)
    return switched_on(row)
