"""The simulated gateway as a small HTTP server in threads."""

from __future__ import annotations

import hmac
import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx

from dotmac.devtools.paystack import pages
from dotmac.devtools.paystack.book import Behaviour, Book, Refused, Transaction

BODY_BYTES_MAX = 64 * 1024
WEBHOOK_TRIES_MAX = 5
WEBHOOK_WAIT_S = 2.0


class PaystackSimulator:
    """Start it, point PAYSTACK_BASE_URL at `url`, stop it. A context manager."""

    def __init__(
        self,
        *,
        secret_key: str,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_url: str = "",
        behaviour: Behaviour | None = None,
    ) -> None:
        self.book = Book(secret_key=secret_key, behaviour=behaviour or Behaviour())
        self.webhook_url = webhook_url
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None
        self._senders: list[threading.Thread] = []

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def behaviour(self) -> Behaviour:
        return self.book.behaviour

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()

    def serve(self) -> None:
        """Answer until `stop` is called from another thread."""
        self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.wait_for_webhooks()

    def page_url(self, row: Transaction) -> str:
        return f"{self.url}/checkout/{row.access_code}"

    def pay(self, reference: str) -> Transaction:
        """Pay as the customer would on the page; webhooks go out."""
        row = self.book.pay(reference)
        self.tell(row)
        return row

    def tell(self, row: Transaction) -> None:
        """Send the webhook in the background, as often as the behaviour says."""
        if not self.behaviour.webhooks or not self.webhook_url:
            return
        body, signature = self.book.notice_of(row)
        for _ in range(self.behaviour.webhook_copies):
            sender = threading.Thread(
                target=_send, args=(self.webhook_url, body, signature), daemon=True
            )
            self._senders = [old for old in self._senders if old.is_alive()]
            self._senders.append(sender)
            sender.start()

    def wait_for_webhooks(self, timeout_s: float = 15.0) -> None:
        until = time.monotonic() + timeout_s
        for sender in list(self._senders):
            sender.join(max(0.0, until - time.monotonic()))


def _send(url: str, body: bytes, signature: str) -> None:
    """Like Paystack: anything but a 200 is tried again (here: a few times)."""
    headers = {"content-type": "application/json", "x-paystack-signature": signature}
    for _ in range(WEBHOOK_TRIES_MAX):
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=10)
            if answer.status_code == HTTPStatus.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(WEBHOOK_WAIT_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], simulator: PaystackSimulator) -> None:
        self.simulator = simulator
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "PaystackSimulator"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: references belong in the installation's own log."""

    def _answer(self, act: Any) -> None:
        try:
            act(urlsplit(self.path).path)
        except Refused as refusal:
            if self.path.startswith("/checkout"):
                self._html(refusal.status, pages.error_page(refusal.message), None)
                return
            answer = {
                "status": False,
                "message": refusal.message,
                "code": refusal.code,
                "type": "validation_error",
            }
            self._json(refusal.status, answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _get(self, path: str) -> None:
        if path == "/checkout.css":
            self._send(HTTPStatus.OK, "text/css", pages.STYLESHEET.encode(), {})
        elif path.startswith("/checkout/"):
            row = self._book.by_access_code(path.removeprefix("/checkout/"))
            self._html(HTTPStatus.OK, pages.checkout_page(row), row)
        elif path.startswith("/transaction/verify/"):
            self._verify(unquote(path.removeprefix("/transaction/verify/")))
        elif path == "/":
            self._json(HTTPStatus.OK, {"status": True, "message": "Simulated gateway"})
        else:
            raise Refused(404, "Not found", "not_found")

    def _post(self, path: str) -> None:
        body = self._body()
        if path == "/transaction/initialize":
            self._initialize(body)
        elif path.startswith("/checkout/"):
            form = parse_qs(body.decode("utf-8", "replace"))
            row = self._book.by_access_code(path.removeprefix("/checkout/"))
            self._act(row, form.get("act", [""])[0])
        else:
            raise Refused(404, "Not found", "not_found")

    def _initialize(self, body: bytes) -> None:
        self._authorize()
        switch = self._book.behaviour
        if switch.fail_initialize > 0:
            switch.fail_initialize -= 1
            self._json(500, {"status": False, "message": "Simulated failure"})
            return
        try:
            asked = json.loads(body)
        except ValueError as error:
            raise Refused(400, "Malformed JSON", "invalid_params") from error
        if not isinstance(asked, dict):
            raise Refused(400, "Malformed JSON", "invalid_params")
        row = self._book.initialize(asked)
        time.sleep(switch.hang_initialize_s)
        data = {
            "authorization_url": self.server.simulator.page_url(row),
            "access_code": row.access_code,
            "reference": self._said(row.reference),
        }
        answer = {"status": True, "message": "Authorization URL created", "data": data}
        self._json(200, answer)

    def _verify(self, reference: str) -> None:
        self._authorize()
        switch = self._book.behaviour
        if switch.fail_verify > 0:
            switch.fail_verify -= 1
            self._json(500, {"status": False, "message": "Simulated failure"})
            return
        time.sleep(switch.hang_verify_s)
        data = self._book.find(reference).to_data()
        data["reference"] = self._said(reference)
        answer = {"status": True, "message": "Verification successful", "data": data}
        self._json(200, answer)

    def _act(self, row: Transaction, act: str) -> None:
        if act == "pay":
            self.server.simulator.pay(row.reference)
        elif act == "decline":
            self._book.decline(row.reference)
        elif act != "abandon":
            raise Refused(400, "Choose Pay, Decline or Abandon", "invalid_params")
        target = row.callback_url
        if act == "abandon":
            target = row.cancel_url or row.callback_url
        if not target:
            self._html(200, pages.done_page(row), row)
            return
        mark = "&" if "?" in target else "?"
        reference = quote(row.reference)
        where = f"{target}{mark}trxref={reference}&reference={reference}"
        self._send(HTTPStatus.SEE_OTHER, "text/plain", b"", {"Location": where})

    def _said(self, reference: str) -> str:
        return "other" if self._book.behaviour.confuse_references else reference

    @property
    def _book(self) -> Book:
        return self.server.simulator.book

    def _authorize(self) -> None:
        offered = self.headers.get("Authorization", "")
        wanted = f"Bearer {self._book.secret_key}"
        if not hmac.compare_digest(offered.encode(), wanted.encode()):
            raise Refused(401, "Invalid key", "invalid_Key")

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            raise Refused(413, "Too large", "too_large")
        return self.rfile.read(length)

    def _json(self, status: int, answer: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(answer).encode(), {})

    def _html(self, status: int, page: str, row: Transaction | None) -> None:
        self._send(
            status,
            "text/html; charset=utf-8",
            page.encode(),
            {"Content-Security-Policy": pages.policy_for(row)},
        )

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str]
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
