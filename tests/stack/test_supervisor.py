"""The supervisor, on small programs: order, restarts, strays and signals."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dotmac.devtools import supervisor as supervising
from dotmac.devtools.bootstrap import Addresses
from dotmac.devtools.context import Context
from dotmac.devtools.installation import open_installation
from dotmac.devtools.plan import Entry, Stage
from dotmac.devtools.processes import Child, end_stray, started_at
from dotmac.devtools.refusals import Refused
from dotmac.devtools.starting import StopAsked
from dotmac.devtools.supervisor import Supervisor

SLEEPER = "import time; time.sleep(60)"


class Heard:
    """A report that keeps what it was told."""

    def __init__(self):
        self.told = []

    def tell(self, kind, **facts):
        self.told.append((kind, facts))

    def texts(self, kind):
        return [facts.get("text", "") for found, facts in self.told if found == kind]


@pytest.fixture
def context(tmp_path):
    return Context(
        installation=open_installation(tmp_path / "state"),
        addresses=Addresses(app="postgresql://a", owner="postgresql://o", radius=""),
        redis_url="redis://r",
        web_port=1,
        auth_port=2,
        acct_port=3,
        smtp_port=4,
        gateway_port=5,
        demo=0,
    )


def program(name, code, *, stage=Stage.SERVE, probe=lambda _: True, **more):
    """An entry that runs a line of Python."""
    words = [sys.executable, "-c", code]
    return Entry(
        name=name, says=name, stage=stage, words=lambda _: words, probe=probe, **more
    )


def task(name, code, **more):
    return program(name, code, stage=Stage.PREPARE, probe=None, **more)


def supervise(context, *entries):
    heard = Heard()
    made = context.installation
    return Supervisor(made.run, made.logs, heard, tuple(entries)), heard


def test_a_task_must_end_well_and_its_log_says_why_not(context):
    supervisor, _ = supervise(context, task("good", "print('done')"))
    supervisor.run_stages(context, Stage.PREPARE)
    assert (context.installation.logs / "good.log").read_text() == "done\n"

    bad = task("bad", "import sys; sys.exit('the reason')")
    supervisor, _ = supervise(context, bad)
    with pytest.raises(Refused, match="the reason"):
        supervisor.run_stages(context, Stage.PREPARE)


def test_progress_of_a_task_is_told_on(context):
    code = (
        "from dotmac.devtools.reports import tell_progress; import time\n"
        "tell_progress(done=3, total=9, text='customers'); time.sleep(1)"
    )
    supervisor, heard = supervise(context, task("long", code))
    supervisor.run_stages(context, Stage.PREPARE)
    facts = {"name": "long", "done": 3, "total": 9, "text": "customers"}
    assert ("progress", facts) in heard.told


def test_a_program_that_ends_or_stays_silent_fails_the_start(context):
    supervisor, heard = supervise(
        context, program("brief", "raise SystemExit('oh')", probe=lambda _: False)
    )
    with pytest.raises(Refused, match=r"brief ended at once.*\noh"):
        supervisor.run_stages(context, Stage.SERVE)
    assert ("end", {"name": "brief", "good": False}) in heard.told

    silent = program("silent", SLEEPER, probe=lambda _: False, start_s=0.3)
    supervisor, _ = supervise(context, silent)
    with pytest.raises(Refused, match="silent takes too long"):
        supervisor.run_stages(context, Stage.SERVE)
    supervisor.stop_all()


def test_what_is_not_there_or_not_wanted_is_left_out(context):
    missing = program("missing", SLEEPER, needs="no_such_command")
    unwanted = program("unwanted", SLEEPER, wanted=lambda _: False)
    supervisor, heard = supervise(context, missing, unwanted)
    supervisor.run_stages(context, Stage.SERVE)
    assert heard.told == []


def test_a_program_that_dies_is_started_again_so_many_times(context, monkeypatch):
    monkeypatch.setattr(supervising, "RESTARTS_MAX", 2)
    monkeypatch.setattr(supervising, "RESTART_DELAY_S", 0.05)
    marks = context.installation.run / "marks"
    code = f"import time; open({str(marks)!r}, 'a').write('x'); time.sleep(0.2)"
    supervisor, heard = supervise(context, program("fickle", code))
    supervisor.run_stages(context, Stage.SERVE)

    stop_when(supervisor, lambda: heard.texts("trouble")[2:])
    assert supervisor.watch()

    supervisor.stop_all()
    assert marks.read_text() == "xxx"
    again, once_more, given_up = heard.texts("trouble")
    assert "started again (1 of 2)" in again
    assert "started again (2 of 2)" in once_more
    assert "stays down" in given_up


def test_programs_stop_in_reverse_and_one_that_will_not_is_killed(context):
    order = context.installation.run / "order"
    polite = (
        "import signal, sys, time\n"
        "def end(*_):\n    open({path!r}, 'a').write('{name} '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True); time.sleep(60)"
    )

    def is_up(name):
        return (
            lambda found: "up" in (found.installation.logs / f"{name}.log").read_text()
        )

    entries = [
        program(
            name,
            polite.format(path=str(order), name=name),
            stage=stage,
            probe=is_up(name),
        )
        for name, stage in (("first", Stage.SERVE), ("second", Stage.SIMULATE))
    ]
    entries.append(program("deaf", deaf, probe=is_up("deaf"), stop_s=0.3))
    supervisor, heard = supervise(context, *entries)
    supervisor.run_stages(context, Stage.SERVE)
    supervisor.run_stages(context, Stage.SIMULATE)

    supervisor.stop_all()
    assert order.read_text() == "second first "
    assert heard.texts("trouble") == ["deaf did not stop and was killed."]
    assert not (context.installation.run / "children.json").exists()


def test_a_stop_asked_during_the_start_breaks_it_off(context):
    waiting = program("waiting", SLEEPER, probe=lambda _: False)
    supervisor, _ = supervise(context, waiting)
    stop_when(supervisor, lambda: True)
    with pytest.raises(StopAsked):
        supervisor.run_stages(context, Stage.SERVE)
    supervisor.stop_all()


def test_what_a_killed_start_left_is_ended_and_strangers_are_not(context):
    left = Child("left", [sys.executable, "-c", SLEEPER], env={}, log=_log(context))
    left.start()
    assert left.pid
    assert left._process
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER])
    try:
        rows = [
            {"name": "left", "pid": left.pid, "began": started_at(left.pid)},
            {"name": "gone", "pid": stranger.pid, "began": "12345"},
            {"name": "never", "pid": 2**22 - 1, "began": "1"},
        ]
        (context.installation.run / "children.json").write_text(json.dumps(rows))
        supervisor, _ = supervise(context)
        reaper = threading.Thread(target=left._process.wait)
        reaper.start()
        assert supervisor.end_strays() == 1
        reaper.join()
        assert stranger.poll() is None
        assert supervisor.end_strays() == 0
        assert not end_stray(stranger.pid, "")
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_gets_no_more_of_the_environment_than_it_is_told(context, monkeypatch):
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("OPERATOR_NAME", "Blue Net")
    told = context.environment()
    assert "PGHOST" not in told
    assert told["OPERATOR_NAME"] == "Blue Net"
    assert "DATABASE_OWNER_URL" not in told
    assert "RADIUS_DATABASE_URL" not in told
    assert "DATABASE_OWNER_URL_PATH" not in told
    assert "RADIUS_DATABASE_URL_PATH" not in told
    assert not [value for value in told.values() if "postgresql://" in value]
    context.write_settings()
    path = Path(context.environment(owner=True)["DATABASE_OWNER_URL_PATH"])
    assert (path.read_text(), path.stat().st_mode & 0o077) == ("postgresql://o\n", 0)


def test_a_long_log_makes_room(context, monkeypatch):
    monkeypatch.setattr("dotmac.devtools.processes.LOG_BYTES_MAX", 10)
    log = _log(context)
    log.write_text("x" * 50)
    child = Child("any", [sys.executable, "-c", "print(1)"], env={}, log=log)
    child.start()
    child.stop(patience_s=10)
    assert log.read_text() in {"1\n", ""}
    assert log.with_suffix(".1.log").read_text() == "x" * 50


def _log(context):
    return context.installation.logs / "any.log"


def stop_when(supervisor, condition):
    """Ask for a stop, as a signal would, once the condition holds."""

    def wait():
        deadline = time.monotonic() + 20
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        supervisor._on_signal(signal.SIGTERM, None)

    threading.Thread(target=wait, daemon=True).start()


def test_signals_ask_for_a_stop(context):
    supervisor, _ = supervise(context)
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGHUP] = signal.getsignal(signal.SIGHUP)
    try:
        supervisor.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        assert supervisor.watch()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
