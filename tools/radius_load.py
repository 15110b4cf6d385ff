"""Open-loop load for any RADIUS server: logins and accounting storms, p50/p99, losses.

    python tools/radius_load.py auth --users users.tsv --secret-file s --rate 1000 --seconds 10
    python tools/radius_load.py starts --users users.tsv --secret-file s --rate 5000 --count 50000
    python tools/radius_load.py mix --users users.tsv --secret-file s --rate 500 --seconds 60

users.tsv has a login, its password and perhaps its address in a line, with tabs
between. It sends by its schedule whether or not answers come, repeats as a NAS does
(--tries, --wait), and prints what it found, with --json as JSON. Exit code 0 when
nothing was lost and nothing unexpected came, else 1. The sources must be NASes that
the server knows. The same --session names the same sessions again, so that `starts`,
`interims` and `stops` may follow each other. Without --rate it is a closed loop: as
fast as --window lets. Where the generator itself was late by much, lower the rate.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.load import plan  # noqa: E402
from tools.load.engine import Pace, Server, run  # noqa: E402
from tools.load.plan import Maker, Request, Subscriber  # noqa: E402

STORMS = {"starts": "Start", "interims": "Interim-Update", "stops": "Stop"}
MIX = "Access-Request=2,Start=2,Interim-Update=10,Stop=2"
PACKETS_MAX = 2_000_000


def main(words: Sequence[str]) -> int:
    """Send, print, and say by the exit code whether all was well; 2: not even sent."""
    parser = _options()
    given = parser.parse_args(words)
    try:
        requests, server, pace = _prepared(given)
        results = run(requests, server=server, pace=pace)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    shown = json.dumps(results.facts(), indent=1) if given.json else results.text()
    print(shown)
    return int(bool(results.lost or results.unexpected))


def _prepared(given: argparse.Namespace) -> tuple[list[Request], Server, Pace]:
    """Packets, server and pace; raises ValueError with a sentence for the person."""
    secret = _secret(given)
    count = given.count or int(given.rate * given.seconds)
    if not 1 <= count <= PACKETS_MAX:
        raise ValueError(f"From 1 to {PACKETS_MAX:,} packets: say --count, or --rate.")
    maker = Maker(
        secret=secret, prefix=given.session, rate=given.rate, began=time.time()
    )
    host = _address(given.host)
    server = Server(
        auth=(host, given.auth_port),
        acct=(host, given.acct_port),
        secret=secret,
        sources=given.source,
    )
    pace = Pace(
        rate=given.rate, window=given.window, wait_s=given.wait, tries=given.tries
    )
    return _requests(given, maker, _subscribers(given.users), count), server, pace


def _requests(
    given: argparse.Namespace, maker: Maker, people: list[Subscriber], count: int
) -> list[Request]:
    if given.what == "auth":
        methods = plan.METHODS if given.method == "both" else (given.method,)
        return plan.logins(
            maker, people, count, methods=methods, wrong_every=given.wrong_every
        )
    if given.what == "mix":
        dice = random.Random(given.seed)  # noqa: S311  # nosec B311
        return plan.mixture(maker, people, count, _weights(given.mix), dice)
    return plan.storm(maker, people, count, STORMS[given.what])


def _weights(text: str) -> dict[str, float]:
    pairs = (part.partition("=") for part in text.split(","))
    weights = {name.strip(): float(value) for name, _, value in pairs}
    if unknown := weights.keys() - set(plan.KINDS):
        raise ValueError(f"{unknown.pop()} is none of {', '.join(plan.KINDS)}.")
    if min(weights.values()) < 0 or not sum(weights.values()):
        raise ValueError("The mix needs weights of 0 and more, and one above 0.")
    return weights


def _secret(given: argparse.Namespace) -> bytes:
    """From a file or the environment: arguments are seen by everybody."""
    if given.secret_file:
        path: Path = given.secret_file
        return path.read_bytes().rstrip(b"\r\n")
    if "RADIUS_SECRET" not in os.environ:
        raise ValueError("Name the secret by --secret-file or RADIUS_SECRET.")
    return os.environ["RADIUS_SECRET"].encode()


def _address(host: str) -> str:
    """As answers will name it."""
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0])


def _subscribers(path: Path) -> list[Subscriber]:
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fields = line.split("\t")
        if not 2 <= len(fields) <= 3 or not fields[0]:
            raise ValueError(f"{path}:{number} is no login, tab, password.")
        found.append(Subscriber(*fields))
    if not found:
        raise ValueError(f"{path} names nobody.")
    return found


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/radius_load.py", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("what", choices=["auth", *STORMS, "mix"])
    add("--users", type=Path, required=True, help="logins and passwords")
    add("--secret-file", type=Path, help="else the variable RADIUS_SECRET")
    add("--host", default="127.0.0.1")
    add("--auth-port", type=int, default=1812)
    add("--acct-port", type=int, default=1813)
    add("--source", nargs="+", default=["127.0.0.1"], help="addresses of ours")
    add("--rate", type=float, default=0.0, help="packets a second; 0: by the window")
    add("--window", type=int, default=0, help="outstanding at most; 0: no bound")
    add("--seconds", type=float, default=10.0, help="how long, without --count")
    add("--count", type=int, default=0, help="packets in all")
    add("--wait", type=float, default=3.0, help="seconds between tries (default 3)")
    add("--tries", type=int, default=3, help="sendings of a packet (default 3)")
    add("--method", choices=[*plan.METHODS, "both"], default="pap")
    add("--wrong-every", type=int, default=0, help="every n-th password is wrong")
    add("--mix", default=MIX, help=f"weights (default {MIX})")
    add("--seed", type=int, default=1, help="of the mix (default 1)")
    add("--session", default="load", help="begins the ids of the sessions")
    add("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
