"""demo-credentials.json: the generated sign-ins of a demonstration.

People script against this file, so its shape is fixed (issue 2, section 9);
fields may be added. The demonstration writes people, NAS and subscribers; each
start writes the addresses of the servers, whose ports may have changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from dotmac.devtools.servers import write_secret

NAME = "demo-credentials.json"
# The address that radclient sends from, and the NAS kept free for programs.
NAS_ADDRESS = "127.0.0.1"
Expected = Literal["accept", "walled_garden", "reject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffSignIn:
    username: str
    password: str
    totp_secret: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSignIn:
    username: str
    password: str
    customer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeNas:
    """A NAS for programs: nothing listens on its port until they do."""

    address: str
    secret: str
    coa_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberLogin:
    login: str
    password: str
    service_id: int
    expected: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Everything that the file holds, but the servers' addresses."""

    nas: FreeNas | None = None
    staff: list[StaffSignIn] = field(default_factory=list)
    customers: list[CustomerSignIn] = field(default_factory=list)
    subscribers: list[SubscriberLogin] = field(default_factory=list)


def write(folder: Path, credentials: Credentials) -> None:
    """Write the people and logins; the addresses that are there stay."""
    _store(folder, asdict(credentials))


def write_addresses(folder: Path, *, database_url: str, redis_url: str) -> None:
    """Write where the servers are; the people that are there stay."""
    _store(folder, {"database_url": database_url, "redis_url": redis_url})


def read(folder: Path) -> dict[str, Any]:
    """What the file holds; empty lists before the demonstration is loaded."""
    empty: dict[str, Any] = asdict(Credentials())
    try:
        return {**empty, **json.loads((folder / NAME).read_text())}
    except FileNotFoundError:
        return empty


def _store(folder: Path, facts: dict[str, Any]) -> None:
    text = json.dumps({**read(folder), **facts}, indent=2, ensure_ascii=False)
    write_secret(folder / NAME, text + "\n")
