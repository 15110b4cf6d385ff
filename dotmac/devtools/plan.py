"""What a start consists of, in order. Adding a program is one entry of TABLE.

An entry that names a management command is left out while that command does
not exist, so parts of DotMac can come one by one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from dotmac.devtools import probes
from dotmac.devtools.context import (
    ROOT,
    Context,
    given_settings,
    manage,
    program,
)
from dotmac.devtools.probes import Probe
from dotmac.devtools.servers import HOST

WEB_THREADS = 8
WORKER_PROCESSES = 2
FILL_COMMAND = "load_demo"


class Stage(enum.IntEnum):
    """Each stage begins when the one before answers; they stop in reverse."""

    PREPARE = 1
    # The demonstration's own history is told before a worker, whose clock is
    # today's, could take part in it; RADIUS checks each provisioned line.
    ADMIT = 2
    FILL = 3
    SERVE = 4
    SIMULATE = 5


def stages(*, filling: bool) -> list[tuple[Stage, ...]]:
    """Stages one after the other; those in one tuple begin together."""
    if filling:
        first: list[tuple[Stage, ...]] = [(Stage.ADMIT,), (Stage.FILL,)]
        return [(Stage.PREPARE,), *first, (Stage.SERVE, Stage.SIMULATE)]
    return [(Stage.PREPARE,), (Stage.ADMIT, Stage.SERVE, Stage.SIMULATE)]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One program of a start: a long-running one has a probe, a task has none
    and must end well."""

    name: str
    says: str
    stage: Stage
    words: Callable[[Context], list[str]]
    needs: str = ""
    probe: Probe | None = None
    wanted: Callable[[Context], bool] = lambda _: True
    owner: bool = False
    radius: bool = False
    start_s: float = 60
    stop_s: float = 15

    def exists(self) -> bool:
        """True when the management command it needs is there."""
        return not self.needs or command_exists(self.needs)


def command_exists(name: str) -> bool:
    """Whether some app has this management command (no Django needed)."""
    patterns = ("apps/*", "dotmac/*", "dotmac/core/*")
    return any(
        next(ROOT.glob(f"{pattern}/management/commands/{name}.py"), None)
        for pattern in patterns
    )


def _web(context: Context) -> list[str]:
    return [
        *(program("granian"), "--interface", "wsgi", "--host", HOST),
        *("--port", str(context.web_port), "--workers", "1"),
        *("--blocking-threads", str(WEB_THREADS), "--backpressure", "64"),
        *("--respawn-failed-workers", "--no-ws", "--log-level", "warning"),
        "dotmac.wsgi:application",
    ]


def _worker(context: Context) -> list[str]:
    return [
        *(program("celery"), "-A", "dotmac", "worker", "--loglevel", "info"),
        *("--concurrency", str(WORKER_PROCESSES), "--hostname", "dotmac@%h"),
        *("--without-gossip", "--without-mingle"),
    ]


def _beat(context: Context) -> list[str]:
    schedule = context.installation.run / "beat-schedule"
    pid_file = context.installation.run / "beat.pid"
    pid_file.unlink(missing_ok=True)
    return [
        *(program("celery"), "-A", "dotmac", "beat", "--loglevel", "info"),
        *("--schedule", str(schedule), "--pidfile", str(pid_file)),
    ]


def _radius(context: Context) -> list[str]:
    return manage("run_freeradius" if context.freeradius else "run_radius_server")


def _fill(context: Context) -> list[str]:
    return manage(FILL_COMMAND, "--customers", str(context.demo))


def _has_changed(context: Context) -> bool:
    """The source or the settings differ from those of the last good start."""
    return context.installation.facts().get("prepared") != context.fingerprint()


def is_filling(context: Context) -> bool:
    """The demonstration is wanted and not loaded yet."""
    filled = context.installation.facts().get("filled")
    return bool(context.demo) and not filled and command_exists(FILL_COMMAND)


def _has_demo(context: Context) -> bool:
    return bool(context.demo)


def _wants_gateway(context: Context) -> bool:
    """A demonstration pays at a simulated gateway, unless a real one is named."""
    return bool(context.demo) and "PAYSTACK_BASE_URL" not in given_settings()


TABLE: tuple[Entry, ...] = (
    Entry(
        name="tables",
        says="Tables and roles",
        stage=Stage.PREPARE,
        words=lambda _: [program("python"), "-m", "dotmac.devtools.prepare"],
        wanted=_has_changed,
        owner=True,
        start_s=300,
    ),
    Entry(
        name="static",
        says="Static files",
        stage=Stage.PREPARE,
        words=lambda _: manage("collectstatic", "--no-input"),
        wanted=_has_changed,
        start_s=300,
    ),
    Entry(
        name="web",
        says="Web",
        stage=Stage.SERVE,
        words=_web,
        probe=probes.answers_http("/health/live"),
    ),
    Entry(
        name="worker",
        says="Worker",
        stage=Stage.SERVE,
        words=_worker,
        probe=probes.worker_answers,
        stop_s=25,
    ),
    Entry(
        name="beat",
        says="Schedule",
        stage=Stage.SERVE,
        words=_beat,
        probe=probes.beat_ticks,
    ),
    Entry(
        name="relay",
        says="Event relay",
        stage=Stage.SERVE,
        needs="relay_outbox",
        words=lambda _: manage("relay_outbox"),
        probe=probes.relay_beats,
    ),
    Entry(
        name="coa",
        says="Disconnect and CoA",
        stage=Stage.SERVE,
        needs="run_coa_sender",
        words=lambda _: manage("run_coa_sender"),
        probe=probes.coa_sender_beats,
    ),
    Entry(
        name="radius",
        says="RADIUS",
        stage=Stage.ADMIT,
        needs="run_radius_server",
        words=_radius,
        probe=probes.radius_answers,
        radius=True,
    ),
    Entry(
        name="accounting",
        says="Accounting replay",
        stage=Stage.ADMIT,
        needs="run_accounting_replay",
        words=lambda _: manage("run_accounting_replay"),
        wanted=lambda context: (
            context.settings().get("RADIUS_ACCOUNTING") == "buffered"
        ),
        probe=probes.replay_reads,
        radius=True,
    ),
    Entry(
        name="gateway",
        says="Simulated payment gateway",
        stage=Stage.SIMULATE,
        needs="run_paystack_simulator",
        words=lambda context: manage(
            "run_paystack_simulator", "--port", str(context.gateway_port)
        ),
        wanted=_wants_gateway,
        probe=probes.accepts(lambda context: context.gateway_port),
    ),
    Entry(
        name="demonstration",
        says="Demonstration ISP",
        stage=Stage.FILL,
        needs=FILL_COMMAND,
        words=_fill,
        start_s=900,
    ),
    Entry(
        name="simulators",
        says="Simulated subscribers and mail",
        stage=Stage.SIMULATE,
        needs="run_simulators",
        words=lambda _: manage("run_simulators"),
        wanted=_has_demo,
        probe=probes.accepts(lambda context: context.smtp_port),
    ),
)
