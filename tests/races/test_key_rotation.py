"""The signing key is replaced ten times while requests run: none of them fails."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.enums import SessionFace
from apps.identity.models import Session
from apps.identity.operations.sessions import issue_tokens
from apps.identity.rules.tokens import key_id
from tests.world import Api, World

ROTATIONS, CLIENTS = 10, 4


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def put(file, *keys):
    """In one step, as an operator is told to: write beside it, then rename."""
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(b"".join(pem(key) for key in keys))
    fresh.replace(file)


class Traffic:
    """Clients that use a token once and then take the next."""

    def __init__(self, session_id):
        self.session_id, self.stop = session_id, Event()
        self.served, self.failures = 0, []

    def run(self, _):
        try:
            while not self.stop.is_set():
                answer = Api(self.token()).get("/api/v1/customers")
                self.served += 1
                if answer.status_code != 200:
                    self.failures.append(answer.json())
        finally:
            connection.close()

    def token(self):
        with transaction.atomic():
            row = Session.objects.get(pk=self.session_id)
            return issue_tokens(session=row, now=timezone.now()).access


@pytest.mark.security
def test_no_request_fails_while_the_key_rotates(own_database, tmp_path):
    chidi, file = World().chidi, tmp_path / "jwt.key"
    keys = [Ed25519PrivateKey.generate()]
    put(file, *keys)
    with override_settings(JWT_KEY_PATH=file):
        signed_in = identity.sign_in(
            username="chidi",
            password=chidi.password,
            face=SessionFace.API,
            now=timezone.now(),
        )
        traffic = Traffic(signed_in.session.pk)
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(traffic.run, number) for number in range(CLIENTS)]
            for _ in range(ROTATIONS):
                time.sleep(0.15)
                keys.insert(0, Ed25519PrivateKey.generate())
                put(file, *keys[:2])
            # Half written by somebody in a hurry: the keys before it stay.
            file.write_bytes(pem(keys[0])[:40])
            time.sleep(0.3)
            put(file, *keys[:2])
            traffic.stop.set()
            for client in clients:
                client.result()
        published = {key["kid"] for key in selectors.jwt_key_set()["keys"]}

    assert traffic.failures == []
    assert traffic.served > 2 * ROTATIONS
    assert published == {key_id(key.public_key()) for key in keys[:2]}
