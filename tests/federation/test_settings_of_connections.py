"""Connections as owners make, test, change and switch them."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.federation import operations
from apps.federation.errors import (
    AddressRefused,
    ConnectionTaken,
    ConnectionUnchecked,
    DomainsRefused,
    MetadataRefused,
)
from apps.federation.models import Connection
from apps.federation.operations import connections
from apps.identity.errors import (
    BeyondOwnRights,
)
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.models import open_sealed
from tests.federation.making import (
    facts,
    make_connection,
    map_group,
    switched_on,
)
from tests.federation.saml_server import SamlServer
from tests.world import SYSTEM

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
NOW = timezone.now()


def check(row):
    return operations.check_connection(
        connection_id=row.pk, actor=SYSTEM, now=timezone.now()
    )


def switch(row, *, on=True, actor=SYSTEM):
    return operations.switch_connection(
        connection_id=row.pk, on=on, actor=actor, now=timezone.now()
    )


def change(row, actor=SYSTEM, **values):
    now = {
        "issuer": row.issuer, "client_id": row.client_id, "domains": row.domains,
        "metadata": row.metadata_url,
    }  # fmt: skip
    return operations.change_connection(
        connection_id=row.pk, facts=facts(**{**now, **values}), actor=actor,
        now=timezone.now(),
    )  # fmt: skip


# Made --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        ({"issuer": "http://idp.example"}, AddressRefused, "issuer"),
        ({"issuer": "https://u:p@idp.example"}, AddressRefused, "issuer"),
        ({"issuer": "https://idp.example?x=1"}, AddressRefused, "issuer"),
        ({"issuer": "https://idp.example#x"}, AddressRefused, "issuer"),
        ({"issuer": "https:///x"}, AddressRefused, "issuer"),
        ({"issuer": "https://[::1"}, AddressRefused, "issuer"),
        ({"issuer": "https://idp.example/ x"}, AddressRefused, "issuer"),
        ({"issuer": "https://idp.example\\x"}, AddressRefused, "issuer"),
        ({"issuer": "file:///etc/passwd"}, AddressRefused, "issuer"),
        ({"issuer": "https://idp.example/" + "x" * 500}, AddressRefused, "issuer"),
        ({"issuer": ""}, AddressRefused, "issuer"),
        ({"client_id": ""}, InvalidInput, "client_id"),
        ({"domains": []}, DomainsRefused, "domains"),
        ({"domains": ["*.example.com"]}, DomainsRefused, "domains"),
        ({"domains": ["com"]}, DomainsRefused, "domains"),
        ({"domains": ["a.example", "b c.example"]}, DomainsRefused, "domains"),
        ({"domains": [f"d{n}.example" for n in range(51)]}, DomainsRefused, "domains"),
        ({"group_claim": " "}, InvalidInput, "group_claim"),
        ({"name": "!!!"}, InvalidInput, "name"),
    ],
)
def test_what_is_malformed_is_refused_by_its_field(world, values, refusal, field):
    with pytest.raises(refusal) as refused:
        make_connection(**values)
    assert refused.value.field == field
    assert not Connection.objects.exists()


def test_domains_are_kept_in_one_form(world):
    row = make_connection(domains=["@Example.COM.", "example.com", "b.example"])
    assert row.domains == ["example.com", "b.example"]


def test_a_name_is_taken_once_and_there_is_an_end(world, monkeypatch):
    make_connection()
    with pytest.raises(ConnectionTaken):
        make_connection()
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 1)
    with pytest.raises(InvalidInput):
        make_connection(name="Other")
    with pytest.raises(InvalidInput):
        make_connection(kind="ldap", name="Third")
    with pytest.raises(InvalidInput):
        make_connection(audience="everybody", name="Third")


def test_only_who_manages_all_roles_touches_a_connection(world):
    row = make_connection()
    manager = world.mina.actor
    for attempt in (
        lambda: make_connection(actor=manager, name="Mine"),
        lambda: change(row, actor=manager),
        lambda: switch(row, actor=manager),
        lambda: operations.map_role(
            connection_id=row.pk, group="g", role_slug="support",
            unit_id=world.operator.pk, actor=manager, now=NOW,
        ),
        lambda: operations.unmap_role(
            connection_id=row.pk, line_id=1, actor=manager, now=NOW
        ),
        lambda: operations.unlink_person(
            connection_id=row.pk, person_id=1, actor=manager, now=NOW
        ),
    ):  # fmt: skip
        with pytest.raises(BeyondOwnRights):
            attempt()


# SAML ---------------------------------------------------------------------------


def test_metadata_is_taken_from_its_address_or_its_text(world, saml):
    pasted = make_connection(kind="saml", metadata=saml.metadata)
    fetched = make_connection(
        kind="saml", name="Other", metadata=f" {saml.base}/metadata "
    )
    assert pasted.issuer == fetched.issuer == f"{saml.base}/idp"
    assert pasted.certificates == fetched.certificates
    assert (pasted.metadata_url, fetched.metadata_url) == ("", f"{saml.base}/metadata")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "no metadata",
        lambda text: "<r/>",
        lambda text: text.replace("IDPSSODescriptor", "SPSSODescriptor"),
        lambda text: text.replace("HTTP-Redirect", "SOAP"),
        lambda text: text.replace("signing", "encryption"),
        lambda text: text.replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
        lambda text: text.replace("http://127.0.0.1", "http://idp.example"),
        lambda text: text.replace('entityID="', 'entityID="' + "x" * 500),
        lambda text: text.replace("<md:IDP", "<!DOCTYPE x><md:IDP"),
        lambda text: "http://127.0.0.1:9/metadata",
    ],
)
def test_metadata_that_is_none_is_refused(world, saml, spoil):
    with pytest.raises(MetadataRefused):
        make_connection(kind="saml", metadata=spoil(saml.metadata))


def test_metadata_comes_from_safe_addresses_that_answer(world, saml):
    with pytest.raises(AddressRefused):
        make_connection(kind="saml", metadata="http://idp.example/metadata")
    with pytest.raises(MetadataRefused):
        make_connection(kind="saml", metadata=f"{saml.base}/not-there")
    with pytest.raises(InvalidInput):
        make_connection(kind="saml", metadata=saml.metadata, secret="x")


def test_a_saml_connection_is_tested_by_its_certificates(world, saml):
    row = make_connection(kind="saml", metadata=f"{saml.base}/metadata")
    assert "29 more days" in check(row).check_says
    Connection.objects.update(certificates=row.certificates * 2)
    assert "other certificates" in check(row).check_says


def test_a_certificate_that_is_over_fails_the_test(world, forget):
    server = SamlServer("a", "b", days=-1)
    try:
        row = make_connection(kind="saml", metadata=server.metadata)
        checked = check(row)
    finally:
        server.close()
    assert checked.check_says == "The provider's certificate is over."
    assert checked.checked_at is None


# Tested and switched --------------------------------------------------------------


def test_only_what_was_tested_is_switched_on(world, provider):
    row = make_connection(issuer=provider.base)
    with pytest.raises(ConnectionUnchecked):
        switch(row)
    assert check(row).check_says == "Answers. Published keys: 1."
    assert switch(row).is_active
    assert switch(row).is_active
    assert b"Head office" in Client().get("/console/sign-in").content
    assert not switch(row, on=False).is_active
    actions = AuditEntry.objects.filter(action="federation.switch_connection")
    assert actions.count() == 2


def _answers(server, path, body):
    import json

    server.routes[path] = lambda *_asked: (200, {}, json.dumps(body).encode())


CONFIGURATION = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        (CONFIGURATION, {"issuer": "https://other.example"}, "another issuer"),
        (CONFIGURATION, [], "no object"),
        ("/keys", {"keys": []}, "publishes no keys"),
        ("/keys", {"keys": "none"}, "no list"),
        ("/keys", {"keys": [{}] * 51}, "no list"),
    ],
)
def test_a_provider_that_does_not_fit_fails_the_test(world, provider, path, body, says):
    row = make_connection(issuer=provider.base)
    _answers(provider, path, body)
    checked = check(row)
    assert says in checked.check_says
    assert checked.checked_at is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization_endpoint", "http://evil.example"),
        ("token_endpoint", None),
        ("jwks_uri", 7),
        ("userinfo_endpoint", "javascript:alert(1)"),
    ],
)
def test_addresses_that_are_not_safe_fail_the_test(world, provider, name, value):
    row = make_connection(issuer=provider.base)
    document = {
        "issuer": provider.base, "authorization_endpoint": f"{provider.base}/a?b=c",
        "token_endpoint": f"{provider.base}/t", "jwks_uri": f"{provider.base}/keys",
    }  # fmt: skip
    _answers(provider, CONFIGURATION, document)
    assert "does not say that it checks PKCE" in check(row).check_says
    _answers(provider, CONFIGURATION, {**document, name: value})
    assert check(row).check_says.startswith("discovery: ")


def test_a_provider_that_is_away_fails_the_test(world, provider):
    row = make_connection(issuer=provider.base)
    silent = make_connection(name="Silent")
    for status in (404, 500):
        provider.routes[CONFIGURATION] = lambda *_a, s=status: (s, {}, b"")
        assert f"answered {status}" in check(row).check_says
    assert "ConnectError" in check(silent).check_says


# Changed ------------------------------------------------------------------------


def test_harmless_changes_leave_it_on_and_others_switch_it_off(world, provider):
    row = switched_on(make_connection(issuer=provider.base))
    before = AuditEntry.objects.count()
    assert change(row).is_active
    assert AuditEntry.objects.count() == before
    assert change(row, domains=["other.example"], trusts_mfa=True).is_active
    changed = change(row, domains=["other.example"], client_id="another")
    assert not changed.is_active
    assert changed.checked_at is None


def test_a_secret_is_replaced_and_never_taken_away_by_silence(world, provider):
    row = make_connection(issuer=provider.base, secret="one")
    change(row, secret="two")
    change(row, name="Renamed")
    found = Connection.objects.get()
    assert open_sealed(found, "secret") == "two"
    assert (found.name, found.slug) == ("Renamed", "head-office")
    entry = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert "two" not in entry


def test_what_is_not_there_cannot_be_changed(world):
    missing = Connection(pk=999_999, domains=["a.example"], issuer="https://a.example")
    for attempt in (
        lambda: change(missing),
        lambda: check(missing),
        lambda: switch(missing),
        lambda: map_group(missing, "g", "support", world.operator.pk),
        lambda: operations.switch_application(
            application_id=999_999, on=True, actor=SYSTEM, now=NOW
        ),
    ):
        with pytest.raises(NotFound):
            attempt()


@pytest.mark.parametrize(
    "columns",
    [
        {"domains": []},
        {"client_id": ""},
        {"sso_url": "https://x.example"},
        {"kind": "saml"},
        {"kind": "ldap"},
        {"audience": "everybody"},
        {"is_active": True},
    ],
)
def test_the_database_refuses_halves(world, columns):
    row = make_connection()
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.filter(pk=row.pk).update(**columns)
