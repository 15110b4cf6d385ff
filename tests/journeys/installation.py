"""A whole installation, started as a newcomer starts it and used from outside."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django_otp.oath import hotp

from tests.environment import ROOT

STEP_S = 30
_OURS = re.compile(r"^(DATABASE|REDIS|RADIUS|DOTMAC|DJANGO|PAYSTACK|OUTBOX)_")


@dataclass
class Installation:
    """What a program knows: the folder, ready.json, demo-credentials.json."""

    folder: Path
    began: float = 0.0
    said: str = ""
    ready: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, Any] = field(default_factory=dict)
    _steps: dict[str, int] = field(default_factory=dict)

    def start(self, *, demo: int, port: int) -> None:
        """Start detached and wait until everything answers; keep what was said."""
        words = ("--demo", str(demo), "--port", str(port), "--detach")
        self.said = self._stack("run", *words)
        self.ready = json.loads((self.folder / "ready.json").read_text())
        path = self.folder / "demo-credentials.json"
        self.credentials = json.loads(path.read_text())

    def stop(self) -> str:
        return self._stack("stop")

    def _stack(self, verb: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dotmac.devtools.stack", verb, "--data", str(self.folder), *words],
            cwd=ROOT, env=_clean_environment(), capture_output=True, text=True, check=False, timeout=420,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr + self.logs()
        return done.stdout

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says, as the application's role."""
        with psycopg.connect(self.credentials["database_url"]) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def mails_to(self, person: str) -> list[EmailMessage]:
        """What the demonstration's mail server was given, oldest first."""
        files = sorted((self.folder / "mail").glob(f"*-{person}-*.eml"))
        return [message_from_bytes(f.read_bytes(), policy=default) for f in files]

    def logs(self) -> str:
        """The end of each log, for a failing test."""
        files = sorted((self.folder / "logs").glob("*.log"))
        return "".join(
            f"\n== {file.name}\n{file.read_text()[-1500:]}" for file in files
        )

    def manage(self, *words: str, expect: int = 0) -> str:
        """A management command, as a person runs it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=_clean_environment() | {"DOTMAC_DATA": str(self.folder)},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def api(self, role: str) -> httpx.Client:
        """A signed-in client of the API, for one of the generated staff."""
        person = self.staff(role)
        answer = httpx.post(
            f"{self.ready['api_url']}/auth/login",
            json={"username": person["username"], "password": person["password"], "otp": self.otp(person)},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return httpx.Client(
            base_url=self.ready["api_url"] + "/",
            headers={"Authorization": f"Bearer {answer.json()['access']}"},
            timeout=30,
        )

    def staff(self, role: str) -> dict[str, Any]:
        """The generated sign-in of a role."""
        return next(p for p in self.credentials["staff"] if p["role"] == role)

    def otp(self, person: dict[str, Any]) -> str:
        """A code that was not used before; waits for the next one if it must."""
        last = self._steps.get(person["username"], 0)
        while (step := int(time.time()) // STEP_S) <= last:
            time.sleep(1)
        self._steps[person["username"]] = step
        return f"{hotp(base64.b32decode(person['totp_secret']), step):06d}"


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A POST with a fresh Idempotency-Key; the body of its success."""
    answer = client.post(
        path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())}
    )
    assert answer.status_code in (200, 201, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_until(check: Callable[[], Any], *, limit_s: float = 60, says: str = "") -> Any:
    """The first true answer of the check."""
    deadline = time.monotonic() + limit_s
    while not (found := check()):
        assert time.monotonic() < deadline, f"waited {limit_s} s in vain: {says}"
        time.sleep(0.3)
    return found


def _clean_environment() -> dict[str, str]:
    """Nothing of the test run's own servers reaches the installation."""
    return {name: value for name, value in os.environ.items() if not _OURS.match(name)}
