"""A NAS's secret is proposed, switched at a chosen minute, and proved or taken back."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.network import operations, selectors
from apps.network.enums import NasSecretState
from apps.network.errors import NoSecretChange, SecretChangeOpen, SecretConfirmed
from apps.network.models import Nas, NasSecret
from apps.network.radius.database import session_settings
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput
from dotmac.core.models import keyring, open_sealed
from tests import environment
from tests.conformance.isp import pointed_to
from tests.network.conftest import acting

pytestmark = [pytest.mark.integration, pytest.mark.security]
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker):
    """One for all tests here, in which commits stay: RADIUS asks from outside."""
    name = f"dotmac_secrets_{uuid.uuid4().hex[:12]}"
    environment.clone_database(name)
    yield name
    environment.drop_database(name)


@pytest.fixture
def do(database, django_db_blocker, nuru):
    """Operations of now: what counts is told by the database's clock."""
    with pointed_to(database, django_db_blocker):
        yield acting(nuru, timezone.now())


_numbers = itertools.count(1)


@pytest.fixture
def nas(do):
    number = next(_numbers)
    NasSecret.objects.all().delete()
    return do.create_nas(name=f"BNG {number}", address=f"127.11.1.{number}")


@contextmanager
def as_radius() -> Iterator[psycopg.Connection]:
    url = os.environ["RADIUS_DATABASE_URL"].rsplit("/", 1)[0]
    with psycopg.connect(
        f"{url}/{connection.settings_dict['NAME']}",
        options=session_settings(keyring(), "UTC"), autocommit=True,
    ) as radius:  # fmt: skip
        yield radius


def known(nas):
    """Name and secret, as a RADIUS server is told them."""
    with as_radius() as radius:
        return radius.execute(
            "SELECT shortname, secret FROM radius_clients(%s)", [host(nas)]
        ).fetchone()


def heard(nas, client: str) -> None:
    """A packet reaches radius_authorize(), verified or not as its client's name says."""
    with as_radius() as radius:
        radius.execute(
            "SELECT * FROM radius_authorize('nobody', %s::inet, p_client => %s)",
            [host(nas), client],
        )


def host(nas) -> str:
    return str(nas.address).split("/")[0]


def state(nas):
    row = selectors.latest_nas_secret_change(nas.pk)
    return row.state if row else ""


def switched(do, nas, **facts):
    """A change whose minute has come; returns the new secret."""
    _, clear = do.propose_nas_secret(nas_id=nas.pk)
    do.schedule_nas_secret(
        nas_id=nas.pk, switch_at=timezone.now() - MINUTE / 2, **facts
    )
    NasSecret.objects.filter(nas=nas, state="scheduled").update(
        switch_at=timezone.now() - MINUTE
    )
    return clear


def test_the_old_secret_counts_until_the_minute_comes(do, nas):
    old = selectors.nas_secret(nas.pk)
    row, new = do.propose_nas_secret(nas_id=nas.pk)
    assert len(new) == 32
    assert new != old
    assert known(nas) == (f"nas-{nas.pk}-1", old)

    do.schedule_nas_secret(nas_id=nas.pk, switch_at=timezone.now() + 5 * MINUTE)
    assert known(nas) == (f"nas-{nas.pk}-1", old)

    NasSecret.objects.filter(pk=row.pk).update(switch_at=timezone.now() - MINUTE)
    assert known(nas) == (f"nas-{nas.pk}-2", new)
    assert selectors.nas_secret(nas.pk) == new
    assert operations.settle_nas_secrets(now=timezone.now()) == 0
    assert known(nas) == (f"nas-{nas.pk}-2", new)


def test_a_packet_of_the_nas_proves_it_and_it_becomes_the_own_one(do, nas):
    new = switched(do, nas)
    before = AuditEntry.objects.count()

    heard(nas, f"nas-{nas.pk}-2")
    assert state(nas) == NasSecretState.CONFIRMED
    heard(nas, f"nas-{nas.pk}-2")
    with pytest.raises(SecretConfirmed):
        do.roll_back_nas_secret(nas_id=nas.pk)
    assert operations.settle_nas_secrets(now=timezone.now()) == 1

    after = Nas.objects.get(pk=nas.pk)
    assert open_sealed(after, "secret") == new
    assert (after.secret_version, after.secret_awaits) == (2, None)
    assert known(nas) == (f"nas-{nas.pk}-2", new)
    over = NasSecret.objects.get(nas=nas)
    assert over.state == NasSecretState.IN_USE
    assert NasSecret.objects.filter(nas=nas, secret=None).exists()
    assert over.confirmed_at is not None
    assert over.ended_at is not None
    assert AuditEntry.objects.count() > before
    assert operations.settle_nas_secrets(now=timezone.now()) == 0


@pytest.mark.parametrize(
    "client", ["", "nas-{id}", "nas-{id}-1", "nas-{id}-2 unsigned", "nas-{id}-22"]
)
def test_nothing_else_proves_it(do, nas, client):
    switched(do, nas)

    heard(nas, client.format(id=nas.pk))

    assert state(nas) == NasSecretState.SCHEDULED


def test_a_packet_of_another_nas_proves_nothing(do, nas):
    switched(do, nas)
    other = do.create_nas(name="other", address="127.11.2.1")

    heard(other, f"nas-{nas.pk}-2")

    assert state(nas) == NasSecretState.SCHEDULED


def test_a_packet_before_the_minute_proves_nothing(do, nas):
    do.propose_nas_secret(nas_id=nas.pk)
    do.schedule_nas_secret(nas_id=nas.pk, switch_at=timezone.now() + 5 * MINUTE)

    heard(nas, f"nas-{nas.pk}-2")

    assert state(nas) == NasSecretState.SCHEDULED


def test_silence_takes_it_back_at_the_minute_and_a_task_writes_it_down(do, nas):
    old = selectors.nas_secret(nas.pk)
    switched(do, nas, roll_back_after_min=1)
    NasSecret.objects.filter(nas=nas).update(
        switch_at=timezone.now() - 2 * MINUTE, roll_back_at=timezone.now() - MINUTE
    )

    assert known(nas) == (f"nas-{nas.pk}-1", old)
    assert selectors.nas_secret(nas.pk) == old
    heard(nas, f"nas-{nas.pk}-2")  # from a server that still remembers it
    assert state(nas) == NasSecretState.SCHEDULED
    assert operations.settle_nas_secrets(now=timezone.now()) == 1
    assert state(nas) == NasSecretState.ROLLED_BACK
    assert Nas.objects.get(pk=nas.pk).secret_awaits is None
    assert open_sealed(Nas.objects.get(pk=nas.pk), "secret") == old


def test_the_task_does_nothing_to_what_somebody_settled_or_moved_meanwhile(
    do, nas, monkeypatch
):
    from apps.network.operations import nas_secrets

    switched(do, nas, roll_back_after_min=1)
    late = timezone.now() - MINUTE
    rows = NasSecret.objects.filter(nas=nas)
    rows.update(switch_at=late - MINUTE, roll_back_at=late)
    locked = nas_secrets._locked

    def moved(nas_id):
        rows.update(roll_back_at=timezone.now() + MINUTE)
        return locked(nas_id)

    def settled(nas_id):
        raise NoSecretChange

    for meanwhile in (settled, moved):
        monkeypatch.setattr(nas_secrets, "_locked", meanwhile)
        assert operations.settle_nas_secrets(now=timezone.now()) == 0
    assert state(nas) == NasSecretState.SCHEDULED


@pytest.mark.parametrize("is_switched", [False, True])
def test_a_person_takes_it_back_and_may_propose_another(do, nas, is_switched):
    old = selectors.nas_secret(nas.pk)
    if is_switched:
        switched(do, nas)
    else:
        do.propose_nas_secret(nas_id=nas.pk)

    over = do.roll_back_nas_secret(nas_id=nas.pk)

    assert (over.state, over.secret) == (NasSecretState.ROLLED_BACK, None)
    assert known(nas) == (f"nas-{nas.pk}-1", old)
    heard(nas, f"nas-{nas.pk}-2")
    assert state(nas) == NasSecretState.ROLLED_BACK
    again, _ = do.propose_nas_secret(nas_id=nas.pk)
    assert again.version == 3


def test_one_change_at_a_time(do, nas):
    do.propose_nas_secret(nas_id=nas.pk)

    with pytest.raises(SecretChangeOpen):
        do.propose_nas_secret(nas_id=nas.pk)
    with pytest.raises(SecretChangeOpen):
        do.change_nas(nas_id=nas.pk, changes={"secret": "another-secret-of-24-char"})
    with pytest.raises(IntegrityError), transaction.atomic():
        NasSecret.objects.create(nas=nas, version=9, secret=b"x")


def test_the_minute_may_be_changed_until_it_has_come(do, nas):
    do.propose_nas_secret(nas_id=nas.pk)
    first = do.schedule_nas_secret(
        nas_id=nas.pk, switch_at=timezone.now() + MINUTE, roll_back_after_min=10
    )
    assert first.roll_back_at - first.switch_at == 10 * MINUTE

    second = do.schedule_nas_secret(nas_id=nas.pk, switch_at=first.switch_at + MINUTE)
    assert (second.pk, second.roll_back_at) == (first.pk, None)

    NasSecret.objects.filter(pk=first.pk).update(switch_at=timezone.now() - MINUTE)
    with pytest.raises(SecretChangeOpen, match="already"):
        do.schedule_nas_secret(nas_id=nas.pk, switch_at=timezone.now() + MINUTE)


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("switch_at", {"switch_at": -2 * MINUTE}),
        ("switch_at", {"switch_at": timedelta(days=91)}),
        ("roll_back_after_min", {"switch_at": MINUTE, "roll_back_after_min": 0}),
        ("roll_back_after_min", {"switch_at": MINUTE, "roll_back_after_min": 99_999}),
    ],
)
def test_times_that_make_no_sense_are_refused(do, nas, field, facts):
    do.propose_nas_secret(nas_id=nas.pk)
    facts["switch_at"] += timezone.now()

    with pytest.raises(InvalidInput) as refused:
        do.schedule_nas_secret(nas_id=nas.pk, **facts)

    assert refused.value.field == field
    assert state(nas) == NasSecretState.PROPOSED


def test_without_a_change_there_is_nothing_to_switch_or_take_back(do, nas):
    for step in (do.roll_back_nas_secret, do.schedule_nas_secret):
        facts = {"switch_at": timezone.now()} if step is do.schedule_nas_secret else {}
        with pytest.raises(NoSecretChange):
            step(nas_id=nas.pk, **facts)


def test_a_secret_given_at_once_gets_a_version_of_its_own(do, nas):
    do.propose_nas_secret(nas_id=nas.pk)
    do.roll_back_nas_secret(nas_id=nas.pk)

    do.change_nas(nas_id=nas.pk, changes={"secret": "another-secret-of-24-char"})

    assert known(nas) == (f"nas-{nas.pk}-3", "another-secret-of-24-char")


def test_servers_and_the_platform_mean_the_same_secret_in_every_state(do, nas):
    """The same condition stands in SQL and in Python."""
    now = timezone.now()
    _, new = do.propose_nas_secret(nas_id=nas.pk)
    seen = set()
    for state_ in ("proposed", "scheduled", "confirmed"):
        for switch_at in (now - 9 * MINUTE, now + 9 * MINUTE):
            for roll_back in (None, now - MINUTE, now + 20 * MINUTE):
                if roll_back and roll_back <= switch_at:
                    continue
                NasSecret.objects.filter(nas=nas).update(
                    state=state_, switch_at=switch_at, roll_back_at=roll_back
                )
                assert known(nas)[1] == selectors.nas_secret(nas.pk)
                seen.add(selectors.nas_secret(nas.pk) == new)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("client", "is_known"),
    [
        ("tls nas-{id}", True),
        ("nas-{id}-1", True),
        ("tls nas-{id}1", False),
        ("tls nas-{id}-1", False),
        ("tls printer", False),
        ("tls ", False),
    ],
)
def test_over_tls_the_certificate_must_be_of_the_nas_at_the_address(
    do, nas, client, is_known
):
    """To anybody else RADIUS says nothing, as to a source that is no NAS."""
    with as_radius() as radius:
        rows = radius.execute(
            "SELECT attribute FROM radius_authorize('nobody', %s::inet, p_client => %s)",
            [host(nas), client.format(id=nas.pk)],
        ).fetchall()

    assert (rows == []) is is_known
    assert (rows == [("Tmp-String-0",)]) is not is_known
