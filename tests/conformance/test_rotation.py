"""The key of everything changes while the server answers: it is never restarted."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from pathlib import Path

import pytest
from django.core.management import call_command

from tests import environment
from tests.conformance import isp as world
from tests.conformance.radclient import RadClient

pytestmark = [pytest.mark.integration, pytest.mark.security]
LOGINS = [f"rotated-{number}" for number in range(20)]


@pytest.mark.parametrize("kind", ["freeradius", "embedded"])
def test_every_login_is_answered_during_a_rotation(
    kind, own_database, settings, tmp_path
):
    folder = tmp_path / "state"
    (folder / "secrets").mkdir(parents=True)
    key = folder / "secrets" / "encryption.key"
    shutil.copy(Path(os.environ["DOTMAC_TEST_FOLDER"], "secrets/encryption.key"), key)
    settings.STATE_DIR, settings.ENCRYPTION_KEY_PATH = folder, key
    world.make_nas("127.0.0.1")
    isp = world.Isp(RadClient(0, 0, world.SECRET))
    for login in LOGINS:
        isp.account(login=login, password=f"of {login}")
    env = {**world.server_environment(os.environ["RADIUS_DATABASE_URL"], folder)}
    more = ["--session-lifetime=1"] if kind == "freeradius" else []
    server = world.start_server(kind, folder, env, world.SECRET, *more)
    try:
        server.wait()
        asking = Asking(server.client)
        asking.start()
        call_command("rotate_keys", "--new", "--wait=60")
        call_command("rotate_keys", "--verify")
        asking.end()
        after = [asking.ask(login) for login in LOGINS]
    finally:
        server.child.stop()

    assert set(asking.answers) == set(after) == {"Access-Accept"}
    assert environment.PASSWORD not in server.child.log.read_text()


class Asking(threading.Thread):
    """One login after the other until told to end; each must be accepted."""

    def __init__(self, client) -> None:
        super().__init__(daemon=True)
        self.client, self._over = client, threading.Event()
        self.answers: list[str] = []

    def run(self) -> None:
        for login in itertools.cycle(LOGINS):
            if self._over.is_set():
                return
            self.answers.append(self.ask(login))

    def ask(self, login: str) -> str:
        answer = self.client.auth(User_Name=login, User_Password=f"of {login}")
        return str(answer.kind)

    def end(self) -> None:
        self._over.set()
        self.join()
