"""What goes into an archive of personal data, whoever tells it."""

import json
import zipfile
from io import BytesIO

import pytest

from apps.identity.operations import archives
from dotmac.core.personal import Held, Keeper
from tests.world import NOON

pytestmark = pytest.mark.django_db


def test_an_app_may_tell_rows_that_it_has_at_hand(world, monkeypatch):
    """`Held.rows` is whatever can be gone through, not only an open query."""
    customer, target = world.chidi.customer, BytesIO()
    calls = [{"said": "hello"}, {"said": "goodbye"}]
    keeper = Keeper(
        export=lambda _pk: [Held("phone.calls", calls), Held("phone.texts", ())],
        erase=lambda _pk, _actor, _now: None,
    )
    monkeypatch.setattr(archives, "keepers_of", lambda _kind: [("phone", keeper)])

    assert archives.write_archive(target, customer=customer, now=NOON) == 2

    with zipfile.ZipFile(target) as archive:
        told = {
            name: json.loads(archive.read(f"{customer.reference}/phone/{name}.json"))
            for name in ("calls", "texts")
        }
    assert told == {"calls": calls, "texts": []}
