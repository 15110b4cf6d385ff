"""What starts stumble over."""

import socket

import pytest


@pytest.fixture
def busy_port():
    """A TCP port of this machine that somebody else listens on."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        yield busy.getsockname()[1]
