"""Programs without a port say in Redis that they live; /health reads it."""

from __future__ import annotations

from typing import Any

# How long a sign of life counts, in seconds; the relay, the sender of CoA and the
# workers give one every few seconds, beat with each task that it sends.
LIFETIME_S = {"worker": 30, "beat": 60, "relay": 15, "coa_sender": 15}


def key_of(program: str) -> str:
    """Where the program's sign stands."""
    return f"dotmac:{program}:alive"


def give(client: Any, program: str, *, now: float) -> None:
    """Say that a program of this kind lives; `now` in seconds since 1970."""
    client.set(key_of(program), str(int(now)), ex=LIFETIME_S[program])


def ages_s(client: Any, *, now: float) -> dict[str, int | None]:
    """Seconds since each kind's last sign; None where it is too long ago."""
    programs = tuple(LIFETIME_S)
    found = client.mget([key_of(program) for program in programs])
    return {
        program: None if value is None else max(0, int(now) - int(value))
        for program, value in zip(programs, found, strict=True)
    }
