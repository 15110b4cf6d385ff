"""Calls to the outside: each has a deadline, a size limit, no redirects, and a wall.

Addresses are typed by people, or come from what an address says that people typed
(discovery), so no client here reaches what is inside unless
`OUTBOUND_ALLOWED_NETWORKS` names it (`dotmac.core.outside`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx
from django.conf import settings

from dotmac.core.outside import AddressInside, Wall

BODY_BYTES_MAX = 1_000_000
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


class OutsideUnreachable(Exception):
    """The other side did not answer in time, or not in a way we can read.

    What it did is unknown: ask again before assuming either way.
    """


class _Walled(httpx.HTTPTransport):
    """httpx's own transport, connecting through the wall."""

    def __init__(self) -> None:
        trusted = httpx.create_ssl_context()
        super().__init__(verify=trusted)
        # httpx has no way to say where a connection goes; httpcore's is public.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted,
            network_backend=Wall(settings.OUTBOUND_ALLOWED_NETWORKS),
        )


@contextmanager
def outside(base_url: str, **headers: str) -> Iterator[httpx.Client]:
    """A client for one remote service.

    It takes no proxy from the environment: a proxy resolves names behind the wall.
    """
    try:
        client = httpx.Client(
            base_url=base_url,
            headers=headers,
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            transport=_Walled(),
        )
    except httpx.InvalidURL as error:
        raise OutsideUnreachable(f"{base_url[:200]}: {error}") from error
    with client:
        yield client


def call(client: httpx.Client, method: str, url: str, **kwargs: Any) -> httpx.Response:
    """One request. Raises OutsideUnreachable on time-outs and oversized answers."""
    try:
        with client.stream(method, url, **kwargs) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise OutsideUnreachable(f"{url} answered with too much.")
        return httpx.Response(
            response.status_code,
            headers=_without_coding(response.headers),
            content=bytes(body),
            request=response.request,
        )
    except AddressInside as error:
        raise OutsideUnreachable(str(error)) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OutsideUnreachable(f"{method} {url}: {type(error).__name__}") from error


def _without_coding(headers: httpx.Headers) -> list[tuple[str, str]]:
    """iter_bytes has decoded the body already."""
    gone = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in headers.items() if name not in gone]
