"""What start.py does once Python is known to be new enough: options and hand-over."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from scripts import packages
from scripts.environment import EMBEDDED, ROOT, RUNTIME, Environment
from scripts.machine import (
    Machine,
    Refused,
    read_settings_file,
    refuse_without_servers,
)
from scripts.progress import Steps

# Fewer cannot show every kind of subscriber (dotmac/devtools/demo/loading.py).
DEMO_MIN, DEMO_MAX = 10, 5_000


def options() -> argparse.ArgumentParser:
    """The command line of start.py."""
    parser = argparse.ArgumentParser(
        prog="start.py",
        description="Starts DotMac with its servers and a demonstration ISP.",
        epilog="DATABASE_URL and REDIS_URL point it at servers of your own; "
        ".env.template lists every setting, and a .env file is read.",
    )
    add = parser.add_argument
    add("--data", type=Path, default=ROOT / ".dotmac", metavar="DIR")
    add("--port", type=int, default=8000, help="of the web (0: any free one)")
    add(
        "--demo",
        type=int,
        metavar="N",
        help="customers of the demonstration at the first start (300; 0 for none)",
    )
    add("--detach", action="store_true", help="return when everything answers")
    add("--install-freeradius", action="store_true", help="Debian, as root")
    verbs = parser.add_mutually_exclusive_group()
    verbs.add_argument("--stop", action="store_true", help="stop what runs")
    verbs.add_argument("--status", action="store_true", help="say what runs")
    verbs.add_argument(
        "--reset", action="store_true", help="throw the data away, then start"
    )
    return parser


def main(arguments: list[str]) -> int:
    """Make the environment if need be, then become the supervisor."""
    parser = options()
    given = parser.parse_args(arguments)
    if not 0 <= given.port <= 65_535:
        parser.error("--port is between 0 and 65535")
    if given.demo and not DEMO_MIN <= given.demo <= DEMO_MAX:
        parser.error(
            f"--demo is 0 for none, or between {DEMO_MIN} and {DEMO_MAX}: fewer "
            "cannot show every kind of subscriber; generate_isp makes larger data"
        )
    try:
        _hand_over(given)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped before anything was started.", file=sys.stderr)
        return 130


def _hand_over(given: argparse.Namespace) -> NoReturn:
    settings = {**read_settings_file(ROOT / ".env"), **os.environ}
    environment, steps = Environment(), Steps()
    if given.stop or given.status:
        if not environment.python.exists():
            print("Nothing runs: DotMac was never started here.")
            sys.exit(0 if given.stop else 3)
    else:
        refuse_without_servers(Machine.here(), settings)
        if given.install_freeradius:
            packages.install(packages.missing(packages.FREERADIUS), steps)
        environment.ensure(_locks(settings), steps)
    command = [str(environment.python), "-m", "dotmac.devtools.stack", *_words(given)]
    settings.pop("PYTHONHOME", None)
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(command[0], command, settings)  # nosec B606


def _locks(settings: dict[str, str]) -> list[str]:
    outside = settings.get("DATABASE_URL") and settings.get("REDIS_URL")
    return [RUNTIME] if outside else [RUNTIME, EMBEDDED]


def _words(given: argparse.Namespace) -> list[str]:
    data = ["--data", str(given.data.expanduser().absolute())]
    if given.stop or given.status:
        return ["stop" if given.stop else "status", *data]
    words = ["run", *data, "--port", str(given.port)]
    words += [] if given.demo is None else ["--demo", str(given.demo)]
    words += ["--detach"] if given.detach else []
    words += ["--reset"] if given.reset else []
    return words
