"""A web process as start.py runs it, for a test that wants a real server."""

from __future__ import annotations

import os
import secrets
import socket
import time
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from dotmac.devtools import plan
from dotmac.devtools.context import PASSED_ON
from dotmac.devtools.processes import Child
from dotmac.devtools.servers import CLEAN, HOST, free_port, write_secret
from tests.environment import ROOT

START_S = 60
_TOLD = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "DOTMAC_DATA")


class Web:
    """granian on loopback with settings of its own. A context manager."""

    def __init__(self, folder: Any, kind: str = "development", **told: str) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        key = folder / "django.key"
        if not key.exists():
            write_secret(key, secrets.token_hex(48))
        environment = {
            **CLEAN,
            "PATH": os.environ["PATH"],
            **{name: os.environ[name] for name in _TOLD},
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": f"dotmac.settings.{kind}",
            "ENVIRONMENT": kind,
            "SECRET_KEY_PATH": str(key),
            "STATIC_ROOT": str(folder / "static"),
            **told,
        }
        (folder / "static").mkdir(exist_ok=True)
        entry = next(entry for entry in plan.TABLE if entry.name == "web")
        words = entry.words(SimpleNamespace(web_port=self.port))  # type: ignore[arg-type]
        self.child = Child(
            "web", words, env=environment, log=folder / f"web-{self.port}.log",
            options={"cwd": str(ROOT)},
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.child.start()
        deadline = time.monotonic() + START_S
        while not self._answers():
            said = self.child.tail(30)
            assert self.child.is_alive, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return self

    def _answers(self) -> bool:
        try:
            httpx.get(f"{self.url}/health/live", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self.child.stop()

    def raw(self, *parts: bytes, wait_s: float = 20) -> bytes:
        """Send bytes as they are; what came back, as far as it came."""
        with socket.create_connection((HOST, self.port), timeout=wait_s) as door:
            try:
                for part in parts:
                    door.sendall(part)
            except OSError:  # It may answer and close before all was sent.
                return _rest(door)
            return _rest(door)


def _rest(door: socket.socket) -> bytes:
    said = b""
    try:
        while chunk := door.recv(65536):
            said += chunk
            if b"\r\n\r\n" in said and b"}" in said:
                break
    except OSError:
        return said
    return said


class Browser:
    """Keeps cookies also where they are for HTTPS only: a proxy of ours has it."""

    def __init__(self, web: Web, *, origin: str = "", **headers: str) -> None:
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self._origin, self._web, self._headers = origin, web, headers

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request; `given` goes to httpx."""
        headers = {**self._headers, **given.pop("headers", {})}
        if self._origin:
            parts = urlsplit(self._origin)
            headers |= {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme}
            headers |= {"Origin": self._origin} if method == "POST" else {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        answer = httpx.request(
            method, f"{self._web.url}{path}", headers=headers, timeout=30,
            follow_redirects=False, trust_env=False, **given,
        )  # fmt: skip
        self.set_cookies = answer.headers.get_list("set-cookie")
        for text in self.set_cookies:
            for name, cookie in SimpleCookie(text).items():
                self.cookies[name] = cookie.value
        return answer

    def send(self, path: str, **form: str) -> httpx.Response:
        """A form, with the token that its page gave."""
        if "csrftoken" not in self.cookies:
            self.ask("GET", path)
        token = {"csrfmiddlewaretoken": self.cookies["csrftoken"]}
        return self.ask("POST", path, data={**form, **token})
