"""A rotation step by step: what each does, refuses, and leaves behind."""

from __future__ import annotations

import os
import shutil
import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.network import operations as network
from apps.network import selectors as network_selectors
from apps.network.models import Nas
from apps.ops import operations, selectors
from apps.ops.errors import KeyInUse, KeyReadersBehind, KeyStepOutOfOrder
from apps.ops.models import AuditEntry, Job
from apps.ops.operations.keys import RETIRE_AFTER
from dotmac.core import keyfile, keyreaders
from dotmac.core.crypto import SealBroken
from dotmac.core.models import keyring, open_sealed
from dotmac.core.sealed import sealed_columns
from tests.network.edge import radius_session

pytestmark = [pytest.mark.integration, pytest.mark.security]


@pytest.fixture(autouse=True)
def key_file(tmp_path, settings):
    """A key file of the test's own, so that others keep theirs."""
    path = tmp_path / "encryption.key"
    shutil.copy(settings.ENCRYPTION_KEY_PATH, path)
    settings.ENCRYPTION_KEY_PATH = path
    return path


@pytest.fixture
def actor():
    from dotmac.core.actors import system_actor

    return system_actor("tests")


@pytest.fixture
def nas(db, actor):
    return make_nas("one", "127.0.1.1", actor)


def make_nas(name, address, actor, secret="a-secret-of-sixteen-and-more"):
    return network.create_nas(
        name=name, address=address, secret=secret, actor=actor, now=timezone.now()
    )


def age(path: Path, by: timedelta) -> None:
    """As if the file had last been changed that long ago."""
    then = time.time() - by.total_seconds()
    os.utime(path, (then, then))


def secret_of(nas):
    return open_sealed(Nas.objects.get(pk=nas.pk), "secret")


def test_a_whole_rotation_leaves_no_row_on_the_old_key(nas, key_file, capsys):
    old = keyring().current.id
    call_command("rotate_keys", "--new")

    new = keyring().current.id
    assert new != old
    assert {found.other_than(new) for found in selectors.sealed_rows()} == {0}
    assert secret_of(nas) == "a-secret-of-sixteen-and-more"
    assert bytes(Nas.objects.get(pk=nas.pk).secret_index)[0] == new
    job = Job.objects.get(kind="rotate_keys")
    assert (job.state, job.done, job.total) == ("succeeded", 1, 1)

    age(key_file, RETIRE_AFTER + timedelta(seconds=1))
    call_command("rotate_keys", "--retire", str(old))
    call_command("rotate_keys", "--retire", str(old))

    assert list(keyring().keys) == [new]
    retired = key_file.with_name("encryption.key.retired")
    assert retired.read_text().startswith(f"{old}:")
    for path in (key_file, retired):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    out = capsys.readouterr().out
    assert f"network_nas.secret: key {new}: 1 rows" in out
    assert key_file.read_text().split(":")[1].strip() not in out
    told = AuditEntry.objects.filter(action__startswith="ops.key.").order_by("pk")
    assert [(entry.action, entry.changes["key_id"]) for entry in told] == [
        ("ops.key.added", new),
        ("ops.key.promoted", new),
        ("ops.key.resealed", new),
        ("ops.key.retired", old),
    ]


def test_an_added_key_opens_and_does_not_seal(nas, actor):
    old = keyring().current.id
    new = operations.add_key(actor=actor, now=timezone.now())

    assert (keyring().current.id, list(keyring().keys)) == (old, [old, new])
    with pytest.raises(KeyStepOutOfOrder, match="finish that rotation"):
        operations.add_key(actor=actor, now=timezone.now())
    with pytest.raises(KeyStepOutOfOrder, match="not 99"):
        operations.promote_key(key_id=99, actor=actor, now=timezone.now())
    assert list(keyring().keys) == [old, new]


def test_verify_says_how_many_rows_are_on_which_key(nas, actor, capsys):
    old = keyring().current.id
    new = operations.add_key(actor=actor, now=timezone.now())
    operations.promote_key(key_id=new, actor=actor, now=timezone.now())
    make_nas("two", "127.0.1.2", actor)

    with pytest.raises(CommandError, match=f"1 rows are not on key {new}"):
        call_command("rotate_keys", "--verify")
    assert f"network_nas.secret: key {old}: 1 rows, key {new}: 1 rows\n" in (
        capsys.readouterr().out
    )


def test_a_key_that_is_needed_is_not_retired(nas, actor, key_file):
    old = keyring().current.id
    new = operations.add_key(actor=actor, now=timezone.now())
    operations.promote_key(key_id=new, actor=actor, now=timezone.now())

    with pytest.raises(KeyInUse, match="wait until"):
        operations.retire_key(key_id=old, actor=actor, now=timezone.now())
    age(key_file, RETIRE_AFTER + timedelta(seconds=1))
    with pytest.raises(KeyInUse, match="1 rows are still sealed"):
        operations.retire_key(key_id=old, actor=actor, now=timezone.now())
    with pytest.raises(KeyStepOutOfOrder, match="current"):
        operations.retire_key(key_id=new, actor=actor, now=timezone.now())
    assert list(keyring().keys) == [new, old]


def test_a_radius_session_that_does_not_know_the_key_holds_it_back(
    own_database, actor, key_file
):
    nas = make_nas("one", "127.0.1.1", actor)
    session = radius_session()
    assert session.client("127.0.1.1") is not None
    new = operations.add_key(actor=actor, now=timezone.now())

    with pytest.raises(KeyReadersBehind, match="1 sessions of RADIUS"):
        operations.promote_key(key_id=new, actor=actor, now=timezone.now())

    # The embedded server looks at the key file before each statement.
    assert session.client("127.0.1.1") is not None
    assert operations.promote_key(key_id=new, actor=actor, now=timezone.now())
    assert not operations.promote_key(key_id=new, actor=actor, now=timezone.now())
    call_command("rotate_keys")
    client = session.client("127.0.1.1")
    assert client is not None
    assert client.secret.decode() == secret_of(nas)
    session.close()


def test_a_radius_session_that_began_while_the_key_was_added_begins_anew(
    own_database, actor, monkeypatch
):
    """It knows the key, but by its beginning nobody could tell."""
    from apps.ops.operations import keys

    make_nas("one", "127.0.1.1", actor)
    session = radius_session()
    hand_over = keys._hand_over

    def and_a_packet_comes():
        hand_over()
        assert session.client("127.0.1.1") is not None

    monkeypatch.setattr(keys, "_hand_over", and_a_packet_comes)
    new = operations.add_key(actor=actor, now=timezone.now())
    monkeypatch.setattr(keys, "_hand_over", hand_over)

    assert session.client("127.0.1.1") is not None
    assert operations.promote_key(key_id=new, actor=actor, now=timezone.now())
    session.close()


def test_a_reader_that_cannot_be_seen_holds_it_back_until_a_person_vouches(
    nas, actor, monkeypatch
):
    blind = keyreaders.KeyReader(
        name="a blind one", hand_over=lambda _: None, behind=lambda _: None
    )
    monkeypatch.setitem(keyreaders._READERS, blind.name, blind)
    new = operations.add_key(actor=actor, now=timezone.now())

    with pytest.raises(KeyReadersBehind, match="a blind one knows the key cannot be"):
        operations.promote_key(key_id=new, actor=actor, now=timezone.now())
    assert keyring().current.id != new

    assert operations.promote_key(
        key_id=new, actor=actor, now=timezone.now(), readers_know=True
    )
    assert keyring().current.id == new


def test_a_row_that_does_not_open_is_left_and_reported(nas, actor, caplog):
    other = make_nas("two", "127.0.1.2", actor)
    swap(nas, other)
    new = operations.add_key(actor=actor, now=timezone.now())
    operations.promote_key(key_id=new, actor=actor, now=timezone.now())

    column = next(c for c in sealed_columns() if str(c) == "network_nas.secret")
    chunk = operations.reseal_chunk(column=column, after=0)

    assert (chunk.rows, chunk.broken, chunk.is_last) == (0, 2, True)
    job = operations.start_reseal(actor=actor, now=timezone.now())
    job = operations.finish_reseal(job_id=job.pk, actor=actor, now=timezone.now())
    assert (job.state, job.error) == (
        "failed",
        f"2 rows could not be sealed with key {new}.",
    )


def swap(one, other):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE network_nas a SET secret = b.secret FROM network_nas b"
            " WHERE a.id IN (%(one)s, %(other)s) AND b.id IN (%(one)s, %(other)s)"
            "   AND a.id <> b.id",
            {"one": one.pk, "other": other.pk},
        )


def test_two_swapped_ciphertexts_do_not_open_and_it_is_told(nas, actor, capsys):
    other = make_nas("two", "127.0.1.2", actor, secret="another-secret-of-the-isp")
    swap(nas, other)

    from dotmac.core.telemetry import configure_logging

    configure_logging("WARNING")
    for row in (nas, other):
        with pytest.raises(SealBroken):
            secret_of(row)
    said = capsys.readouterr().err.splitlines()
    assert [("seal_broken" in line, '"critical"' in line) for line in said] == [
        (True, True)
    ] * 2


def test_nases_that_share_a_secret_are_found_under_either_key(nas, actor):
    new = operations.add_key(actor=actor, now=timezone.now())
    operations.promote_key(key_id=new, actor=actor, now=timezone.now())
    same = make_nas("same", "127.0.1.2", actor)
    make_nas("own", "127.0.1.3", actor, secret="nobody-else-has-this-one")

    first = Nas.objects.get(pk=nas.pk)
    assert network_selectors.nas_sharing_secret(first) == [same]
    assert bytes(first.secret_index) != bytes(same.secret_index)


def test_a_changed_secret_changes_its_look_up(nas, actor):
    twin = make_nas("twin", "127.0.1.2", actor)
    network.change_nas(
        nas_id=nas.pk,
        changes={"secret": "no-longer-the-same-secret"},
        actor=actor,
        now=timezone.now(),
    )

    assert network_selectors.nas_sharing_secret(twin) == []


def test_a_file_that_went_bad_does_not_stop_a_running_process(key_file):
    before = keyring()
    key_file.chmod(0o644)
    os.utime(key_file)
    assert keyring() is before
    key_file.unlink()
    assert keyring() is before
    keyfile.write_private(key_file, f"7:{os.urandom(32).hex()}\n")
    assert keyring().current.id == 7


def test_a_reseal_that_is_under_way_is_gone_on_with(nas, actor):
    first = operations.start_reseal(actor=actor, now=timezone.now())
    again = operations.start_reseal(actor=actor, now=timezone.now())
    assert again.pk == first.pk
