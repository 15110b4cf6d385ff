"""Programs that no wheel brings: FreeRADIUS, radclient, eapol_test, Chromium."""

from __future__ import annotations

import os

import pytest

from scripts import packages

RADIUS_SERVER = ("freeradius", "freeradius-postgresql")
RADCLIENT = ("freeradius-utils",)
EAPOL_TEST = ("eapoltest",)
BROWSER = ("chromium",)


def need(*names: str) -> None:
    """Go on where these Debian packages are installed.

    Otherwise the test is left out, if `run_tests.py --without-system-packages` said
    so, and fails if it did not: a program that is missing unnoticed would make a
    run green that showed nothing.
    """
    wanted = tuple(p for p in packages.FOR_TESTS if p.name in names)
    assert len(wanted) == len(names)
    lacking = ", ".join(package.name for package in packages.missing(wanted))
    if not lacking:
        return
    if os.environ.get(packages.LEAVE_OUT):
        pytest.skip(f"Left out without {lacking}.")
    pytest.fail(
        f"This test needs {lacking}: install it, or leave such tests out by "
        "run_tests.py --without-system-packages."
    )
