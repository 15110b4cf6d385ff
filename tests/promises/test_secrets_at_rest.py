"""Every column that may hold a secret is sealed, hashed, or named here as harmless."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.db import models

from dotmac.core.models import BlindIndexField, SealedField
from dotmac.core.sealed import sealed_columns

pytestmark = [pytest.mark.unit, pytest.mark.security]
SUSPICIOUS = re.compile(
    r"pass(word|wd|phrase)?|secret|token|seed|(^|_)key($|_)|credential|private|otp|pin$|"
    r"digest|signature|api_?key|recovery|cookie|nonce"
)

SEALED = {
    "catalog_service.password",
    "federation_connection.secret",
    "federation_signinflow.answer",
    "identity_storedfile.digest",
    "identity_storedpiece.sealed",
    "identity_totpdevice.seed",
    "network_accessaccount.secret",
    "network_accountimportrow.facts",
    "network_nas.secret",
    "network_nassecret.secret",
    "ops_idempotencykey.body",
}
# Only what was made of it is kept: a slow hash, or the digest of a random value.
HASHED = {
    "federation_application.secret_digest": "SHA-256 of 256 random bits",
    "federation_applicationtoken.digest": "SHA-256 of 256 random bits",
    "federation_authorisationcode.digest": "SHA-256 of 256 random bits",
    "federation_signinflow.answer_digest": "SHA-256 of 256 random bits",
    "identity_user.password": "Argon2id",
    "identity_invitation.digest": "SHA-256 of 256 random bits",
    "django_session.session_key": "a digest (dotmac.core.sessions)",
    "identity_refreshtoken.digest": "SHA-256 of 256 random bits",
    "identity_apikey.digest": "SHA-256 of 256 random bits",
    "identity_recoverycode.digest": "what is kept of a code that was printed",
    "identity_onetimelink.digest": "SHA-256 of an HMAC with the installation's key",
}
HARMLESS = {
    "axes_accessattempt.failures_since_start": "a number",
    "federation_authorisationcode.nonce": "an application's own word, sent in URLs",
    "federation_signinflow.nonce": "makes words only with the installation's key",
    "identity_invitation.nonce": "makes a link only with the installation's key",
    "identity_onetimelink.nonce": "makes a link only with the installation's key",
    "identity_passkey.credential_id": "the name of a device's key; every site sees it",
    "identity_passkey.public_key": "public",
    "network_accesshold.unique_key": "what it is for",
    "network_sessionlive.session_key": "a digest of what NASes say",
    "network_sessionhistory.session_key": "a digest of what NASes say",
    "network_coarequest.session_key": "a digest of what NASes say",
    "network_vendormap.digest": "of a file that comes with DotMac",
    "ops_accessdenial.actor_key": "kind and id of an actor",
    "ops_idempotencykey.key": "the client's name for a request",
    "ops_message.unique_key": "what a message is about",
    "ops_outboxevent.subject_key": "app, kind and id",
    "ops_outboxsubject.key": "app, kind and id",
}


def columns(*kinds: type[models.Field]) -> set[str]:
    """table.column of every concrete column that can hold text or bytes."""
    return {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if isinstance(field, kinds)
    }


def unaccounted(found: set[str]) -> set[str]:
    """The suspicious names that nobody has accounted for."""
    suspicious = {name for name in found if SUSPICIOUS.search(name.split(".")[1])}
    return suspicious - SEALED - HASHED.keys() - HARMLESS.keys()


def test_no_column_holds_a_secret_in_the_clear():
    texts = columns(models.CharField, models.TextField, models.JSONField)
    blobs = columns(models.BinaryField) - columns(SealedField, BlindIndexField)
    assert unaccounted(texts | blobs) == set()


def test_the_sealed_columns_are_exactly_these():
    assert {str(column) for column in sealed_columns()} == SEALED


def test_what_is_said_to_be_hashed_exists():
    assert HASHED.keys() <= columns(models.CharField)


@pytest.mark.parametrize(
    "name", ["isp_modem.wifi_password", "isp_gateway.api_secret", "isp_sim.pin"]
)
def test_a_new_column_of_that_kind_would_be_noticed(name):
    assert unaccounted({name}) == {name}
