"""A small HTTP server in a thread, for the providers of the tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, dict[str, str], bytes]


def as_json(body: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def to(address: str) -> Answer:
    return 302, {"Location": address}, b""


class Served:
    """Answers by path: `routes[path](method, query, form, headers)`."""

    def __init__(self) -> None:
        self.routes: dict[str, Callable[..., Answer]] = {}
        self.always: dict[str, Callable[..., Answer]] = {
            "/favicon.ico": lambda *_asked: (204, {}, b"")
        }
        self.asked: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                form = dict(parse_qsl(self.rfile.read(length).decode()))
                served.asked.append(parts.path)
                routes = {**served.always, **served.routes}
                route = routes.get(parts.path)
                status, headers, body = (404, {}, b"") if route is None else route(
                    self.command, dict(parse_qsl(parts.query)), form, self.headers
                )  # fmt: skip
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815

            def log_message(self, *_said: Any) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
