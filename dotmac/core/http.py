"""Calls to the outside: every one has a deadline, a size limit and no redirects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

BODY_BYTES_MAX = 1_000_000
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


class OutsideUnreachable(Exception):
    """The other side did not answer in time, or not in a way we can read.

    What it did is unknown: ask again before assuming either way.
    """


@contextmanager
def outside(base_url: str, **headers: str) -> Iterator[httpx.Client]:
    """A client for one remote service."""
    with httpx.Client(
        base_url=base_url, headers=headers, timeout=_TIMEOUT, follow_redirects=False
    ) as client:
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
    except httpx.HTTPError as error:
        raise OutsideUnreachable(f"{method} {url}: {type(error).__name__}") from error


def _without_coding(headers: httpx.Headers) -> list[tuple[str, str]]:
    """iter_bytes has decoded the body already."""
    gone = {"content-encoding", "content-length", "transfer-encoding"}
    return [(name, value) for name, value in headers.items() if name not in gone]
