"""What this computer can do, and what went wrong on it, in sentences."""

from __future__ import annotations

import errno
import platform
import re
from dataclasses import dataclass
from pathlib import Path

GLIBC_MIN = (2, 34)


class Refused(Exception):
    """Something stands in the way; the text says in a sentence what to do."""


@dataclass(frozen=True)
class Machine:
    """The facts about this computer that decide what can be installed."""

    system: str
    architecture: str
    libc: str
    libc_version: tuple[int, ...]

    @classmethod
    def here(cls) -> Machine:
        libc, version = platform.libc_ver()
        numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
        return cls(platform.system(), platform.machine(), libc, numbers)

    @property
    def runs_embedded_servers(self) -> bool:
        return (
            self.system == "Linux"
            and self.architecture in {"x86_64", "AMD64"}
            and self.libc == "glibc"
            and self.libc_version >= GLIBC_MIN
        )

    def __str__(self) -> str:
        libc = f"{self.libc or 'no glibc'} {'.'.join(map(str, self.libc_version))}"
        return f"{self.system} on {self.architecture} with {libc.strip()}"


def refuse_without_servers(machine: Machine, settings: dict[str, str]) -> None:
    """The built-in servers run here, or both addresses of real ones are given."""
    if settings.get("DATABASE_URL") and settings.get("REDIS_URL"):
        return
    if not machine.runs_embedded_servers:
        raise Refused(
            "The built-in PostgreSQL and Valkey need Linux on x86-64 with glibc 2.34 "
            f"or later, and this is {machine}: install PostgreSQL 15+ and Redis 7+ "
            "and set DATABASE_URL and REDIS_URL."
        )


def read_settings_file(path: Path) -> dict[str, str]:
    """NAME=VALUE lines of a .env file; comments and empty values are left out."""
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text().splitlines():
        match = re.match(r"^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$", line)
        if match and (value := match[2].strip("\"'")):
            found[match[1]] = value
    return found


def explain_os_error(error: OSError, place: Path) -> str:
    """One sentence for what the operating system refused."""
    where = error.filename or place
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk that holds {where} is full: make room and start again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{where} may not be written by this user: run as its owner."
    return f"{error.strerror or error}: {where}."


_VENV_CAUSES = (
    (
        r"ensurepip|python3-venv",
        "Python's venv module is missing: install it "
        "(Debian and Ubuntu: apt install python3-venv) and start again.",
    ),
    (
        r"No space left",
        "The disk that holds {place} is full: make room and start again.",
    ),
)
_INSTALL_CAUSES = (
    (
        r"No space left",
        "The disk that holds {place} is full: make room and start again.",
    ),
    (
        r"DO NOT MATCH THE HASHES|Hash mismatch",
        "A downloaded package is not the one that was locked (its hash differs): "
        "check the package index in pip's configuration and start again.",
    ),
    (
        r"connection|resolve|timed out|network|proxy|certificate|SSL",
        "Packages could not be downloaded: check the network, or the index, proxy and "
        "certificate in pip's configuration, and start again.",
    ),
    (
        r"No matching distribution|no wheels? |no usable wheels|not a supported wheel",
        "There is no ready-made package (wheel) for this machine and Python: use "
        "CPython 3.11 to 3.14 on x86-64 Linux.",
    ),
)


def explain_venv_failure(output: str, place: Path) -> str:
    """One sentence for why the environment could not be made."""
    return _explain(_VENV_CAUSES, output, place, "Making {place} failed.")


def explain_install_failure(output: str, place: Path) -> str:
    """One sentence for why packages could not be installed."""
    rest = "Installing into {place} failed; delete that folder and start again."
    return _explain(_INSTALL_CAUSES, output, place, rest)


def _explain(
    causes: tuple[tuple[str, str], ...], output: str, place: Path, rest: str
) -> str:
    fitting = (
        text for pattern, text in causes if re.search(pattern, output, re.IGNORECASE)
    )
    sentence = next(fitting, rest)
    said = [line for line in output.strip().splitlines() if line.strip()][-3:]
    return "\n    ".join([sentence.format(place=place), *said])
