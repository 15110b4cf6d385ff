"""The versions there are, and what changed from each to the next.

The views speak NATIVE. A request of another version is turned into NATIVE before
them and the answer back after them. When v2 is no preview any more, the views take
its names, NATIVE becomes v2, and the same list serves v1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Renamed:
    """A field of some resource has another name from a version on.

    `resource` fits the path behind the version, sub-resources apart. The field is
    renamed at the top of bodies, in the rows of lists, in `?fields=`, in the filter
    of that name, and where a problem names it.
    """

    resource: re.Pattern[str]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version; `changes` are those from the version before it."""

    name: str
    changes: tuple[Renamed, ...] = ()
    is_preview: bool = False
    # RFC 9745 and RFC 8594: from when on it should, and may not, be used any more.
    # Said with answers that the next version gives differently.
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None


_CUSTOMERS = re.compile(
    r"customers(?:/\d+(?:/(?:qualify|close|reopen|parent|erase|contacts(?:/\d+)?))?)?$"
)

VERSIONS: tuple[Version, ...] = (
    Version(
        "v1",
        deprecated_at=datetime(2027, 1, 1, tzinfo=UTC),
        sunset_at=datetime(2028, 1, 1, tzinfo=UTC),
    ),
    Version(
        "v2",
        is_preview=True,
        changes=(
            Renamed(_CUSTOMERS, before="phone", after="phone_number"),
            Renamed(_CUSTOMERS, before="email", after="email_address"),
        ),
    ),
)
NAMES = tuple(version.name for version in VERSIONS)
NATIVE = "v1"
ROOT = "/api/"
_PATH = re.compile(r"/api/(?P<version>v\d{1,4})(?P<rest>/.*)?$", re.DOTALL)


def split(path: str) -> tuple[str, str] | None:
    """The version and the path behind it, without the slash; None outside the API."""
    found = _PATH.match(path)
    if found is None:
        return None
    return found["version"], (found["rest"] or "/")[1:]


def native_path(path: str) -> str:
    """The path that the routes know; unknown versions stay as they are."""
    parts = split(path)
    if parts is None or parts[0] not in NAMES:
        return path
    return f"{ROOT}{NATIVE}/{parts[1]}"


def version(name: str) -> Version:
    """The version of that name, which exists."""
    return VERSIONS[NAMES.index(name)]


def successor_of(name: str, rest: str) -> Version | None:
    """The next version, when it gives this resource another shape."""
    place = NAMES.index(name) + 1
    if place >= len(VERSIONS):
        return None
    following = VERSIONS[place]
    changed = any(change.resource.match(rest) for change in following.changes)
    return following if changed else None
