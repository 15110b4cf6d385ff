"""What run_tests.py does once Python is known to be new enough."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from scripts import packages
from scripts.environment import DEVELOPMENT, EMBEDDED, ROOT, RUNTIME, Environment
from scripts.machine import Machine, Refused, refuse_without_servers
from scripts.progress import Steps

# Each part's own folder of tests, and the races and promises that concern it.
PARTS: dict[str, tuple[str, ...]] = {
    "core": ("core",),
    "ops": (
        "ops",
        "races/test_ops_races.py",
        "races/test_outbox_order.py",
        "races/test_outbox_survives.py",
        "races/test_rotation_survives.py",
        "promises/test_audit.py",
    ),
    "identity": (
        "identity",
        "races/test_customer_races.py",
        "races/test_identity.py",
        "races/test_key_rotation.py",
        "races/test_two_approvers.py",
        "promises/test_access_matrix.py",
        "promises/test_lists_are_filters.py",
        "promises/test_revocation.py",
        "promises/test_staff_need_mfa.py",
    ),
    "federation": ("federation", "races/test_federation_races.py"),
    "network": (
        "network",
        "conformance",
        "races/test_import_races.py",
        "races/test_network_races.py",
        "races/test_radius_races.py",
        "races/test_retention_races.py",
        "faults/test_accounting_survives.py",
    ),
    "catalog": (
        "catalog",
        "races/test_catalog_races.py",
        "races/test_provisioning_survives.py",
    ),
    "billing": (
        "billing",
        "races/test_bill_run_by_worker.py",
        "races/test_bill_run_survives.py",
        "races/test_cash.py",
        "promises/test_ledger_guards.py",
        "promises/test_ledger_stateful.py",
    ),
    "analytics": ("analytics",),
    "gateway": ("gateway",),
    "console": ("console",),
    "portal": ("portal",),
    "stack": ("stack",),
    "devtools": ("devtools", "stack"),
}
# DotMac's own names and the specification's ten services: the same table.
SERVICES: dict[str, tuple[str, ...]] = {
    **PARTS,
    "dotmac_platform": ("core", "promises"),
    "dotmac_api_gateway": ("gateway", "promises"),
    "dotmac_identity": PARTS["identity"] + PARTS["federation"],
    "dotmac_services": PARTS["catalog"],
    "dotmac_networking": PARTS["network"],
    "dotmac_billing": PARTS["billing"],
    "dotmac_analytics": PARTS["analytics"],
    "dotmac_core_events": PARTS["ops"],
    "dotmac_core_ops": PARTS["ops"],
    "dotmac_devtools": PARTS["devtools"],
}
LONG_TIER = ("performance", "faults", "fuzz")
CATEGORIES = ("unit", "integration", "e2e", "security", *LONG_TIER)
WORKERS = "2"


def options() -> argparse.ArgumentParser:
    """The command line of run_tests.py."""
    parser = argparse.ArgumentParser(
        prog="run_tests.py",
        description="Runs every test but the long tier (performance, faults, fuzz) on "
        "real PostgreSQL, Valkey, FreeRADIUS and Chromium.",
        epilog="Whatever else is given goes to pytest, for example -k name or -x.",
    )
    add = parser.add_argument
    add("--service", choices=sorted(SERVICES), metavar="NAME", help=_names())
    add("--category", choices=CATEGORIES)
    add("--coverage", action="store_true", help="measure it and hold the floors")
    add(
        "--without-system-packages",
        action="store_true",
        help="leave out what needs FreeRADIUS or Chromium where they are missing",
    )
    add("--prepare", action="store_true", help="only make the environment")
    return parser


def _names() -> str:
    return "one of " + ", ".join(sorted(SERVICES))


def main(arguments: list[str]) -> int:
    """Make the environment and the system ready, then become pytest."""
    given, rest = options().parse_known_args(arguments)
    try:
        refuse_without_servers(Machine.here(), {})
        environment, steps = Environment(), Steps(sys.stderr)
        environment.ensure([RUNTIME, EMBEDDED, DEVELOPMENT], steps)
        _system_packages(given, steps)
        if given.prepare:
            return 0
        _become_pytest(environment, given, rest)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _system_packages(given: argparse.Namespace, steps: Steps) -> None:
    lacking = packages.missing(packages.FOR_TESTS)
    if not lacking:
        return
    names = ", ".join(f"{package.name} ({package.purpose})" for package in lacking)
    if given.without_system_packages:
        print(f"Without {names}: tests that need it are left out.", file=sys.stderr)
    elif os.geteuid() == 0:
        packages.install(lacking, steps)
    else:
        raise Refused(
            f"The tests need {names}: run sudo apt-get install "
            f"{' '.join(package.name for package in lacking)}, or leave out what needs "
            "them with --without-system-packages."
        )


def _become_pytest(
    environment: Environment, given: argparse.Namespace, rest: list[str]
) -> NoReturn:
    programs = environment.python.parent
    settings = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}:{packages.SYSTEM_PATHS}",
    }
    if given.without_system_packages:
        settings[packages.LEAVE_OUT] = "1"
    if given.coverage and not (given.service or given.category or rest):
        settings["DOTMAC_COVERAGE_FLOORS"] = "1"
    # Tests start programs by the hundred: none may compile every package anew.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    words = ["-m", "pytest", *pytest_words(given, rest)]
    command = [str(environment.python), *words]
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(command[0], command, settings)  # nosec B606


def pytest_words(given: argparse.Namespace, rest: list[str]) -> list[str]:
    """pytest's arguments for what was asked."""
    words = _selection(given, rest)
    if not any(word.startswith(("-n", "--numprocesses")) for word in rest):
        words += ["-n", WORKERS]
    if given.coverage:
        words += ["--cov", "--cov-report=json:.coverage.json", "--cov-report=term"]
    return [*words, *rest]


def _selection(given: argparse.Namespace, rest: list[str]) -> list[str]:
    if given.category:
        chosen = ["-m", given.category]
    elif "-m" in rest:
        chosen = []
    else:
        chosen = ["-m", " and ".join(f"not {name}" for name in LONG_TIER)]
    if given.service:
        chosen += [str(ROOT / "tests" / name) for name in SERVICES[given.service]]
    return chosen
