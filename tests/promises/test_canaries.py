"""Every secret is a canary; nothing that is stored, sent or logged shows one."""

from __future__ import annotations

import base64
import hashlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from dotmac.devtools.bootstrap import ROLES, bootstrap
from dotmac.devtools.installation import open_installation
from dotmac.devtools.servers import CLEAN, Postgres, Valkey, _engine
from tests.environment import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.security]
OPEN = b"OpenControlCanary"
PLANTED_MIN = 20


class Installation:
    """Servers and files of this test alone, and what came of the story."""

    def __init__(self, folder: Path) -> None:
        self.home = open_installation(folder / "data")
        for name in ("django.key", "encryption.key", "jwt.key", "audit.key"):
            self.home.secret(name)
        self.home.secret("paystack.key")
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.postgres = Postgres(
            folder / "postgres",
            log=self.logs / "postgres.log",
            settings={"fsync": "off", "log_min_error_statement": "panic"},
        )
        self.valkey = Valkey(folder / "valkey", log=self.logs / "valkey.log")
        self.said: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        self.postgres.start()
        self.valkey.start()
        try:
            passwords = {role: self.home.secret(f"database-{role}") for role in ROLES}
            found = bootstrap(self.postgres.url("postgres"), passwords)
            self.passwords = passwords
            self.environment = {
                **CLEAN,
                "DJANGO_SETTINGS_MODULE": "dotmac.settings.development",
                "DOTMAC_DATA": str(self.home.root),
                "DATABASE_URL": found.app,
                "DATABASE_OWNER_URL": found.owner,
                "REDIS_URL": self.valkey.url(),
                "ALLOWED_HOSTS": "testserver",
                "PAYSTACK_BASE_URL": "http://127.0.0.1:9",
                "EMAIL_PORT": "9",
                "RATE_LIMIT_TIMEOUT_MS": "2000",  # The machine is shared.
                "LOG_LEVEL": "INFO",
            }
            yield
        finally:
            self.valkey.stop()
            self.postgres.stop()

    def run(self, name: str, *words: str) -> None:
        with (self.logs / f"{name}.log").open("wb") as log:
            done = subprocess.run(
                [sys.executable, *words],
                env=self.environment, cwd=ROOT, stdout=log, stderr=log, check=False,
            )  # fmt: skip
        assert done.returncode == 0, (self.logs / f"{name}.log").read_text()[-3000:]

    @contextmanager
    def worker(self) -> Iterator[None]:
        words = ["-m", "celery", "-A", "dotmac", "worker", "--pool", "solo"]
        with (self.logs / "worker.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, *words, "--loglevel", "info", "--without-gossip"],
                env=self.environment, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip
            try:
                yield
            finally:
                child.send_signal(signal.SIGTERM)
                child.wait(30)

    def listen(self) -> None:
        """Keep every command that reaches Valkey: task messages among them."""

        def keep() -> None:
            client = redis.Redis.from_url(self.valkey.url(), socket_timeout=None)
            try:
                with client.monitor() as monitor:
                    for command in monitor.listen():
                        self.said.append(str(command["command"]))
            except redis.RedisError:
                return

        threading.Thread(target=keep, daemon=True).start()

    def places(self) -> dict[str, bytes]:
        """Everything that a thief of disks, dumps and logs would have."""
        url = self.postgres.url("dotmac")
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("CHECKPOINT")
        dump = subprocess.run(
            [_engine() / "bin" / "pg_dump", "--dbname", url],
            capture_output=True, check=True,
        )  # fmt: skip
        client = redis.Redis.from_url(self.valkey.url())
        client.save()
        keys = b"".join(client.dump(name) or b"" for name in client.scan_iter())
        files = [path for path in self.valkey.home.rglob("*") if path.is_file()]
        kept = b"".join(p.read_bytes() for p in files if p.name != "valkey.conf")
        data = self.postgres.home
        return {
            "dump": dump.stdout,
            "wal": contents(data / "pg_wal"),
            "tables": contents(data / "base"),
            "valkey": kept + keys,
            "messages": "\n".join(self.said).encode(),
            "logs": contents(self.logs),
        }


def contents(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


def forms(name: str, value: str) -> dict[str, bytes]:
    """How a secret would look: as it is, encoded, or by a digest without a key."""
    raw = value.encode()
    found = {
        "plain": raw,
        "hex": raw.hex().encode(),
        "base64": base64.b64encode(raw).rstrip(b"=")[:-1],
    }
    # Of random tokens the digest is what is kept, and cannot be turned back.
    if "token" not in name and "invitation" not in name and "cookie" not in name:
        for kind in ("md5", "sha1", "sha256"):
            found[kind] = hashlib.new(kind, raw).hexdigest().encode()
    return found


@pytest.fixture(scope="module")
def loot(tmp_path_factory):
    """What was planted, and every place that is searched."""
    installation = Installation(tmp_path_factory.mktemp("canaries"))
    planted_file = tmp_path_factory.mktemp("planted") / "planted.json"
    with installation.running():
        installation.run("prepare", "-m", "dotmac.devtools.prepare")
        installation.listen()
        with installation.worker():
            story = ("-m", "tests.promises.canary_story", str(planted_file))
            installation.run("story", *story)
        planted = json.loads(planted_file.read_text())
        planted |= {f"role {r}": word for r, word in installation.passwords.items()}
        planted["valkey password"] = installation.valkey.password
        planted["superuser password"] = installation.postgres.password
        yield planted, installation.places()


@pytest.mark.parametrize(
    "place", ["dump", "wal", "tables", "valkey", "messages", "logs"]
)
def test_an_open_word_is_found_so_the_search_works(loot, place):
    assert OPEN in loot[1][place]


@pytest.mark.parametrize(
    "place", ["dump", "wal", "tables", "valkey", "messages", "logs"]
)
def test_no_canary_is_found(loot, place):
    planted, places = loot
    assert len(planted) >= PLANTED_MIN
    text = places[place]
    found = [
        (name, form)
        for name, value in planted.items()
        for form, bytes_ in forms(name, value).items()
        if bytes_ in text
    ]
    assert found == []
