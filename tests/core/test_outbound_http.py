"""Calls to the outside, against a small real server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dotmac.core.http import BODY_BYTES_MAX, OutsideUnreachable, call, outside


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/ok")
            self.end_headers()
            return
        size = BODY_BYTES_MAX + 10 if self.path == "/huge" else 2
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(b"o" * size)

    def log_message(self, *args):
        pass


@pytest.fixture
def base_url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_reads_an_answer_and_follows_no_redirect(base_url):
    with outside(base_url, Authorization="Bearer x") as client:
        assert call(client, "GET", "/ok").content == b"oo"
        assert call(client, "GET", "/redirect").status_code == 302


def test_too_much_and_nobody_there_are_the_same_kind_of_silence(base_url):
    with (
        outside(base_url) as client,
        pytest.raises(OutsideUnreachable, match="too much"),
    ):
        call(client, "GET", "/huge")
    with outside("http://127.0.0.1:9") as client, pytest.raises(OutsideUnreachable):
        call(client, "GET", "/")
