"""Which subscribers live behind which simulated NAS: ids only, no secrets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dotmac.devtools.servers import write_secret

NAME = "simulator.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Ids of NASes, and of access accounts with the index of their NAS."""

    nas_ids: list[int]
    account_ids: list[int]


def write(folder: Path, roster: Roster) -> None:
    write_secret(folder / NAME, json.dumps(asdict(roster)) + "\n")


def read(folder: Path) -> Roster:
    """Empty where no demonstration was loaded."""
    try:
        return Roster(**json.loads((folder / NAME).read_text()))
    except FileNotFoundError:
        return Roster(nas_ids=[], account_ids=[])
