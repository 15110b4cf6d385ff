"""A link to a record of an app above, kept as plain values, not as a key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SubjectRef:
    """Which record something is about; outlives the record itself."""

    app: str
    kind: str
    id: int
    label: str = ""

    def __str__(self) -> str:
        return f"{self.app}.{self.kind}:{self.id}"
