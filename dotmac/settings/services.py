"""The specification's ten services by name, and how UPSTREAM_SERVICES is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

GATEWAY = "api_gateway"
SERVICES = (
    "platform", GATEWAY, "identity", "services", "networking", "billing",
    "analytics", "core_events", "core_ops", "devtools",
)  # fmt: skip
_PREFIX = "dotmac_"


def service(text: str) -> str:
    """The service that this process is, empty for all of them.

    The specification's long form is understood too: dotmac_billing is billing.
    """
    name = text.strip().removeprefix(_PREFIX)
    if name and name not in SERVICES:
        raise ImproperlyConfigured(
            f"DOTMAC_SERVICE is one of {', '.join(SERVICES)}, or empty for all."
        )
    return name


def upstreams(text: str) -> dict[str, str]:
    """Service to address, from a JSON object or `name=url` words.

    An address is http(s)://host[:port] and nothing more.
    """
    found: dict[str, str] = {}
    for given, url in _pairs(text.strip()):
        name = given.removeprefix(_PREFIX)
        if name not in SERVICES or name == GATEWAY:
            raise ImproperlyConfigured(
                f"UPSTREAM_SERVICES names {given!r}; known are "
                f"{', '.join(known for known in SERVICES if known != GATEWAY)}."
            )
        if name in found:
            raise ImproperlyConfigured(f"UPSTREAM_SERVICES names {name} twice.")
        found[name] = _address(name, url)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    if text.startswith("{"):
        try:
            pairs = json.loads(text, object_pairs_hook=list)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"UPSTREAM_SERVICES is no JSON object: {error}"
            ) from None
        if not all(isinstance(url, str) for _, url in pairs):
            raise ImproperlyConfigured("UPSTREAM_SERVICES maps names to addresses.")
        yield from pairs
        return
    for word in text.replace(",", " ").split():
        name, equals, url = word.partition("=")
        if not equals:
            raise ImproperlyConfigured(
                "UPSTREAM_SERVICES is a JSON object or words like "
                "billing=http://127.0.0.1:8004."
            )
        yield name, url


def _address(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"The address of {name} cannot be read.") from None
    plain = f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")
    is_plain = (parts.username, parts.query, parts.fragment) == (None, "", "")
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not is_plain
        or parts.path not in {"", "/"}
    ):
        raise ImproperlyConfigured(
            f"The address of {name} is http(s)://host[:port], without path or password."
        )
    return (
        plain.replace(parts.hostname, f"[{parts.hostname}]", 1)
        if (":" in parts.hostname)
        else plain
    )
