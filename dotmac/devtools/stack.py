"""start.py's second half, inside the environment: run, stop and status."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess  # nosec B404
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dotmac.devtools import bootstrap, credentials, outside, plan, probes, servers
from dotmac.devtools.bootstrap import Addresses
from dotmac.devtools.context import ROOT, Context
from dotmac.devtools.installation import (
    Installation,
    Ports,
    open_installation,
    remove,
)
from dotmac.devtools.plan import Stage
from dotmac.devtools.processes import started_at
from dotmac.devtools.refusals import Refused, explain_os_error
from dotmac.devtools.reports import PipeReport, Report
from dotmac.devtools.screen import Screen
from dotmac.devtools.starting import StopAsked
from dotmac.devtools.supervisor import Supervisor

STOP_S = 90
INTERRUPTED = 130
LOCK = "lock"
RADIUS_PORT = 1812
DEMO_CUSTOMERS = 300


class AlreadyRuns(Exception):
    """Another start holds this folder."""


def main(words: list[str]) -> int:
    """Run one of the verbs and return the exit code."""
    given = _options().parse_args(words)
    screen = Screen()
    try:
        code = int(given.verb(given, screen))
    except Refused as refusal:
        code = _fail(screen, str(refusal))
    except OSError as error:
        code = _fail(screen, explain_os_error(error, given.data))
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        screen.close()
    return code


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dotmac.devtools.stack")
    verbs = parser.add_subparsers(required=True)
    for name, verb in (("run", run), ("stop", stop), ("status", status)):
        sub = verbs.add_parser(name)
        sub.set_defaults(verb=verb)
        sub.add_argument("--data", type=Path, required=True)
        if name == "run":
            sub.add_argument("--port", type=int, default=8000)
            sub.add_argument("--demo", type=int)
            sub.add_argument("--detach", action="store_true")
            sub.add_argument("--reset", action="store_true")
            sub.add_argument("--report-to", type=int, default=0)
    return parser


def _fail(screen: Screen, sentence: str) -> int:
    screen.close()
    sys.stdout.flush()
    print(sentence, file=sys.stderr)
    return 1


def run(given: argparse.Namespace, screen: Screen) -> int:
    """Start everything and stay with it, or leave it to a process of its own."""
    if given.report_to:
        with os.fdopen(given.report_to, "w") as pipe:
            return _serve(given, PipeReport(pipe))
    if given.reset:
        stop(given, screen)
        if remove(given.data):
            print(f"  ✓ {given.data} thrown away")
    if given.detach:
        return _detach(given, screen)
    code = _serve(given, screen)
    return _fail(screen, screen.failure) if screen.failure else code


def _detach(given: argparse.Namespace, screen: Screen) -> int:
    """Start a supervisor of its own and show what it reports until it is ready."""
    read, write = os.pipe()
    words = ["run", "--data", str(given.data), "--port", str(given.port)]
    words += [] if given.demo is None else ["--demo", str(given.demo)]
    words += ["--report-to", str(write)]
    log = open_installation(given.data).logs / "supervisor.log"
    with log.open("ab") as output:
        child = subprocess.Popen(  # nosec B603
            [sys.executable, "-m", "dotmac.devtools.stack", *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[write],
            start_new_session=True,
        )
    os.close(write)
    try:
        with os.fdopen(read) as lines:
            if _show(lines, screen):
                # Nobody waits for it any more: it lives until --stop.
                child.returncode = 0
                return 0
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        _fail(screen, "Stopped.")
        return INTERRUPTED
    child.wait()
    return _fail(screen, screen.failure or f"The start broke off; see {log}.")


def _show(lines: Iterable[str], screen: Screen) -> bool:
    """Show what the supervisor reports; True once DotMac runs."""
    for line in lines:
        facts = json.loads(line)
        kind = facts.pop("kind")
        screen.tell(kind, **facts)
        if kind in {"ready", "already"}:
            return True
    return False


def _serve(given: argparse.Namespace, report: Report) -> int:
    installation = open_installation(given.data)
    supervisor = Supervisor(installation.run, installation.logs, report)
    supervisor.listen()
    try:
        with _alone(installation):
            return _serve_alone(given, installation, supervisor, report)
    except AlreadyRuns:
        report.tell("already", facts=installation.ready(), folder=str(given.data))
        return 0 if given.report_to else 1
    except Refused as refusal:
        report.tell("failed", text=str(refusal))
        return 1
    except OSError as error:
        report.tell("failed", text=explain_os_error(error, given.data))
        return 1


def _serve_alone(
    given: argparse.Namespace,
    installation: Installation,
    supervisor: Supervisor,
    report: Report,
) -> int:
    installation.ready_file.unlink(missing_ok=True)
    supervisor.end_strays()
    try:
        context = _bring_up(given, installation, supervisor)
        facts = context.ready_facts(_version())
        installation.write_ready(facts)
        report.tell("ready", facts=facts, folder=str(installation.root))
        if isinstance(report, PipeReport):
            report.close()
        else:
            print("  Ctrl-C stops it.", flush=True)
        return 0 if supervisor.watch() else 1
    except StopAsked:
        return INTERRUPTED
    finally:
        installation.ready_file.unlink(missing_ok=True)
        supervisor.stop_all()


def _bring_up(
    given: argparse.Namespace, installation: Installation, supervisor: Supervisor
) -> Context:
    ports = Ports(installation)
    web_port = ports.hold(ports.demand("web", given.port))
    customers = _customers(given.demo, installation)
    for name in (
        "django.key",
        "encryption.key",
        "jwt.key",
        "audit.key",
        "paystack.key",
    ):
        installation.secret(name)
    _drop_what_broke_off(installation)
    addresses, redis_url = _servers(installation, supervisor, ports)
    context = Context(
        installation=installation,
        addresses=addresses,
        redis_url=redis_url,
        web_port=web_port,
        auth_port=_radius_port(ports, "radius_auth", RADIUS_PORT),
        acct_port=_radius_port(ports, "radius_acct", RADIUS_PORT + 1),
        smtp_port=ports.hold(ports.choose("smtp")),
        gateway_port=ports.hold(ports.choose("gateway")),
        demo=customers,
    )
    ports.save()
    context.write_settings()
    credentials.write_addresses(
        installation.root, database_url=addresses.app, redis_url=redis_url
    )
    probes.forget_heartbeats(redis_url)
    filling = plan.is_filling(context)
    for stages in plan.stages(filling=filling):
        installation.remember(filling=stages == (Stage.FILL,))
        # RADIUS takes the datagram ports, everything after it the others.
        if Stage.ADMIT in stages:
            ports.release(datagram=True)
        if Stage.SERVE in stages:
            ports.release(datagram=False)
        supervisor.run_stages(context, *stages)
        if Stage.PREPARE in stages:
            installation.remember(prepared=context.fingerprint())
        if Stage.FILL in stages:
            installation.remember(filled=True, filling=False)
    return context


def _radius_port(ports: Ports, name: str, wanted: int) -> int:
    return ports.hold(ports.choose(name, wanted, datagram=True), datagram=True)


def _customers(given: int | None, installation: Installation) -> int:
    """How many the demonstration has: decided once, by the first start."""
    decided = installation.facts().get("demo")
    if decided is None:
        decided = DEMO_CUSTOMERS if given is None else given
        installation.remember(demo=decided)
    elif given not in {None, decided}:
        raise Refused(
            f"{installation.root} was made with --demo {decided}: start without "
            "--demo, throw it away with --reset, or give another folder with --data."
        )
    return int(decided)


def _drop_what_broke_off(installation: Installation) -> None:
    """A demonstration that was half loaded holds nothing of value: begin again."""
    if not installation.facts().get("filling"):
        return
    if os.environ.get("DATABASE_URL"):
        raise Refused(
            "An earlier start broke off while it loaded the demonstration: empty the "
            "database of DATABASE_URL and start again."
        )
    servers.remove_data(installation.postgres)
    servers.remove_data(installation.valkey)
    installation.remember(filling=False, prepared="")


def _servers(
    installation: Installation, supervisor: Supervisor, ports: Ports
) -> tuple[Addresses, str]:
    """The built-in servers, or the ones whose addresses were given."""
    logs = installation.logs
    if os.environ.get("DATABASE_URL"):
        addresses = outside.database_addresses(os.environ, installation)
    else:
        postgres = servers.Postgres(
            installation.postgres,
            password=installation.secret("postgres-superuser"),
            port=ports.choose("postgres"),
            log=logs / "postgres.log",
        )
        supervisor.start_server(postgres)
        addresses = bootstrap.bootstrap(
            postgres.url("postgres"), outside.role_passwords(installation)
        )
    if url := os.environ.get("REDIS_URL"):
        return addresses, outside.check_redis(url)
    valkey = servers.Valkey(
        installation.valkey,
        password=installation.secret("valkey"),
        port=ports.choose("valkey"),
        log=logs / "valkey.log",
    )
    supervisor.start_server(valkey)
    return addresses, valkey.url()


@contextmanager
def _alone(installation: Installation) -> Iterator[None]:
    """Hold the folder's lock; the kernel frees it however we end."""
    with (installation.run / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRuns from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def holder(installation: Installation) -> int:
    """The process that runs this installation, or 0."""
    try:
        lock = (installation.run / LOCK).open("r+")
    except OSError:
        return 0
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0)
    return 0


def stop(given: argparse.Namespace, _screen: Screen) -> int:
    """Ask the supervisor to stop and wait until it has."""
    installation = Installation(given.data)
    pid = holder(installation)
    if not pid:
        ended = _stop_strays(installation)
        print("Stopped what a killed start had left." if ended else "Nothing runs.")
        return 0
    began = started_at(pid)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while started_at(pid) == began and holder(installation):
        if time.monotonic() > deadline:
            raise Refused(f"It does not stop; see {installation.logs}/supervisor.log.")
        time.sleep(0.05)
    print("DotMac has stopped.")
    return 0


def _stop_strays(installation: Installation) -> int:
    if not installation.exists:
        return 0
    installation.ready_file.unlink(missing_ok=True)
    return Supervisor(installation.run, installation.logs, Screen()).end_strays()


def status(given: argparse.Namespace, screen: Screen) -> int:
    """Say whether it runs, and where."""
    installation = Installation(given.data)
    if not holder(installation):
        print("DotMac does not run.")
        return 3
    facts = installation.ready()
    print("DotMac runs." if facts else "DotMac is starting.")
    screen.summary(facts, given.data)
    return 0


def _version() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
