"""Debian packages that DotMac or its tests use; standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
from dataclasses import dataclass
from pathlib import Path

from scripts.machine import Refused
from scripts.progress import Step, Steps

# Set by run_tests.py --without-system-packages: tests that need one are left out.
LEAVE_OUT = "DOTMAC_WITHOUT_SYSTEM_PACKAGES"
SYSTEM_PATHS = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Package:
    """A Debian package, the file that shows it is there, and what it is for."""

    name: str
    evidence: str
    purpose: str

    @property
    def is_there(self) -> bool:
        if "/" in self.evidence:
            return any(Path("/").glob(self.evidence.lstrip("/")))
        return bool(
            shutil.which(self.evidence, path=f"{os.environ['PATH']}:{SYSTEM_PATHS}")
        )


FREERADIUS = (
    Package("freeradius", "freeradius", "the RADIUS server"),
    Package(
        "freeradius-postgresql",
        "/usr/lib/freeradius/rlm_sql_postgresql.so",
        "the RADIUS server's way to PostgreSQL",
    ),
    Package("freeradius-utils", "radclient", "RADIUS packets that we did not write"),
)
FOR_TESTS = (
    *FREERADIUS,
    Package("eapoltest", "eapol_test", "a phone on a Wi-Fi with logins"),
    Package("chromium", "chromium", "the browser"),
    Package(
        "fonts-dejavu-core",
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "letters in the browser's pictures",
    ),
)


def missing(packages: tuple[Package, ...]) -> list[Package]:
    """Those that are not on this machine."""
    return [package for package in packages if not package.is_there]


def install(packages: list[Package], steps: Steps) -> None:
    """Fetch Debian packages as root; their services are not left running."""
    if not packages:
        return
    names = [package.name for package in packages]
    if not shutil.which("apt-get"):
        raise Refused(f"This is no Debian system: install {', '.join(names)} yourself.")
    if os.geteuid() != 0:
        raise Refused(
            f"Only root can install: run sudo apt-get install {' '.join(names)}."
        )
    with steps.step(f"Installing {', '.join(names)}") as step:
        _apt(["update"], step)
        _apt(["install", "--yes", "--no-install-recommends", *names], step)
        _leave_stopped(names)


def _apt(arguments: list[str], step: Step) -> None:
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(  # nosec B603 B607
        ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=120", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=settings,
        check=False,
    )
    step.tick()
    if done.returncode and arguments[0] != "update":
        said = "\n    ".join(done.stderr.strip().splitlines()[-3:])
        raise Refused(f"apt-get {arguments[0]} failed:\n    {said}")


def _leave_stopped(names: list[str]) -> None:
    """Debian starts a server when it is installed; ours has its own configuration."""
    if "freeradius" in names and Path("/run/systemd/system").is_dir():
        command = ["systemctl", "disable", "--now", "freeradius"]
        subprocess.run(command, capture_output=True, check=False)  # nosec B603
