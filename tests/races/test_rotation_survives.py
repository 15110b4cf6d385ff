"""10,000 sealed rows change their key while they are read and changed, and the
rotation is killed twice: no read fails, no change is lost, nothing is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from apps.network import operations as network
from apps.network import selectors as network_selectors
from apps.network.models import AccessAccount
from apps.network.radius.database import AccessFacts, encoded
from apps.ops import operations, selectors
from apps.ops.errors import KeyReadersBehind
from apps.ops.models import Job
from dotmac.core.actors import system_actor
from dotmac.core.db import copy_rows, next_ids
from dotmac.core.models import keyring, seal_for
from tests.environment import ROOT
from tests.network.edge import radius_session

pytestmark = [pytest.mark.integration, pytest.mark.security]
ROWS = 10_000
KILLS_AT = (1_500, 5_000)
ACTOR = system_actor("tests")
NAS = "127.0.1.1"


@pytest.fixture
def key_file(own_database, tmp_path, settings, monkeypatch):
    path = tmp_path / "encryption.key"
    shutil.copy(Path(os.environ["DOTMAC_TEST_FOLDER"], "secrets/encryption.key"), path)
    settings.ENCRYPTION_KEY_PATH = path
    monkeypatch.setenv("ENCRYPTION_KEY_PATH", str(path))
    return path


def fill() -> list[int]:
    now = timezone.now()
    network.create_nas(name="edge", address=NAS, actor=ACTOR, now=now)
    profile = network.create_rate_profile(
        name="p", down_kbps=1000, up_kbps=1000, actor=ACTOR, now=now
    )
    ids = next_ids(AccessAccount, ROWS)
    copy_rows(
        AccessAccount,
        ("id", "login", "secret", "kind", "mac_lock", "profile"),
        (
            (i, f"u{i}", seal_for(AccessAccount, "secret", i, word(i)), "radius", "",
             profile.pk)
            for i in ids
        ),
    )  # fmt: skip
    return ids


def word(account_id: int, generation: int = 0) -> str:
    return f"word {account_id} {generation}"


class Worker(threading.Thread):
    """Does something over and over; the first failure is kept."""

    def __init__(self, act) -> None:
        super().__init__(daemon=True)
        self.act, self.count = act, 0
        self.failures: list[str] = []
        self._over = threading.Event()

    def run(self) -> None:
        dice = random.Random(1)
        try:
            while not self._over.is_set():
                self.act(dice)
                self.count += 1
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.failures.append(repr(error))
        finally:
            connection.close()

    def end(self) -> None:
        self._over.set()
        self.join()


def start(workers):
    for worker in workers:
        worker.start()


def end(workers):
    for worker in workers:
        worker.end()


def test_a_rotation_that_is_killed_twice_fails_no_read(key_file):
    ids = fill()
    generations = dict.fromkeys(ids[:200], 0)
    steady = ids[200:]
    session = radius_session()

    def read(dice):
        account = dice.choice(steady)
        assert network_selectors.account_secret(account) == word(account)

    def ask(dice):
        account = dice.choice(steady)
        facts = AccessFacts(login=encoded(f"u{account}".encode()), nas=NAS)
        rows = {name: value for name, value, _op in session.authorize(facts)}
        assert rows["Cleartext-Password"].strip("'\"") == word(account), rows

    def change(dice):
        account = dice.choice(list(generations))
        generations[account] += 1
        network.change_access(
            account_id=account,
            password=word(account, generations[account]),
            actor=ACTOR,
            now=timezone.now(),
        )
        time.sleep(0.01)

    old = keyring().current.id
    workers = [Worker(read), Worker(ask), Worker(change)]
    start(workers)
    new = operations.add_key(actor=ACTOR, now=timezone.now())
    assert wait_for_radius(new)
    for rows in KILLS_AT:
        kill_at(rows, new)
    call_command("rotate_keys")
    end(workers)
    session.close()

    assert [worker.failures for worker in workers] == [[], [], []]
    assert min(worker.count for worker in workers) > 20
    assert {found.other_than(new) for found in selectors.sealed_rows()} == {0}
    changed = {account: g for account, g in generations.items() if g}
    assert {a: network_selectors.account_secret(a) for a in changed} == {
        account: word(account, g) for account, g in changed.items()
    }
    jobs = Job.objects.filter(kind="rotate_keys")
    assert [(job.state, job.done) for job in jobs] == [("succeeded", jobs[0].total)]
    # Those that were given a new password meanwhile needed no re-sealing.
    assert jobs[0].total >= ROWS - len(generations)
    assert old != new


def wait_for_radius(key_id: int) -> bool:
    """Promote as soon as the session of role radius has looked at the keys."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return operations.promote_key(
                key_id=key_id, actor=ACTOR, now=timezone.now()
            )
        except KeyReadersBehind:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def kill_at(rows: int, key_id: int) -> None:
    """Start the rotation and SIGKILL it when so many rows are on the new key."""
    child = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "rotate_keys"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while done(key_id) < rows:
        assert child.poll() is None, "It ended before it was killed."
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert done(key_id) < ROWS


def done(key_id: int) -> int:
    found = {str(f.column): f.rows for f in selectors.sealed_rows()}
    return found["network_accessaccount.secret"].get(key_id, 0)
