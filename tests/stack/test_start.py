"""Whole starts from the command line: real servers, real programs, bad situations."""

import json
import os
import shutil
import signal
import stat
import subprocess
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest
import redis

from dotmac.devtools.processes import started_at
from tests.stack.starts import ROOT, Start, environment

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One installation for all tests that leave it running, however they found it."""
    start = Start(tmp_path_factory.mktemp("stack") / "state")
    start.up()
    yield start
    start.stop()


@pytest.fixture
def fresh(tmp_path):
    start = Start(tmp_path / "state")
    yield start
    start.stop()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not come true in time."
        time.sleep(0.1)
    return found


def fetch(url):
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310
        return answer.status, answer.read()


def test_ready_json_says_where_everything_is(running):
    ready = running.ready()
    assert set(ready) >= {
        *("version", "base_url", "console_url", "portal_url", "api_url"),
        *("schema_url", "health_url", "radius"),
    }
    assert set(ready["radius"]) == {"server", "host", "auth_port", "acct_port"}
    has_freeradius = shutil.which("freeradius", path="/usr/sbin:/usr/bin")
    assert ready["radius"]["server"] == ("freeradius" if has_freeradius else "embedded")
    status, body = fetch(ready["health_url"])
    health = json.loads(body)
    assert status == 200
    assert health["version"] == ready["version"]
    assert fetch(ready["schema_url"])[0] == 200


def test_everything_private_is_private(running):
    for path in (running.folder, running.folder / "secrets"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    private = [*(running.folder / "secrets").iterdir()]
    private += [running.folder / n for n in ("demo-credentials.json", "settings.env")]
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_no_command_line_no_environment_and_no_log_shows_a_secret(running):
    words = [
        path.read_text().strip() for path in (running.folder / "secrets").iterdir()
    ]
    words = [word.removeprefix("1:") for word in words if "BEGIN" not in word]
    assert len(words) > 6
    shown = [
        Path(f"/proc/{pid}/{facts}").read_text()
        for pid in running.children().values()
        for facts in ("cmdline", "environ")
    ]
    shown += [log.read_text() for log in (running.folder / "logs").glob("*.log")]
    assert not [word for word in words if any(word in text for text in shown)]


def test_the_credentials_are_those_of_the_servers(running):
    facts = json.loads((running.folder / "demo-credentials.json").read_text())
    with psycopg.connect(facts["database_url"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("dotmac_app",)
    with redis.Redis.from_url(facts["redis_url"]) as client:
        assert client.ping()


def test_only_radius_and_nobody_else_knows_the_radius_role(running):
    for name, pid in running.children().items():
        told = Path(f"/proc/{pid}/environ").read_text()
        assert "DATABASE_OWNER_URL" not in told, name
        assert ("RADIUS_DATABASE_URL" in told) <= (name == "radius"), name


def test_starting_again_says_where_it_runs_and_harms_nothing(running):
    before = running.ready(), running.children()
    again = running.run("--detach", "--port", "0", "--demo", "0")
    assert again.returncode == 0
    assert "DotMac runs already" in again.stdout
    assert before[0]["console_url"] in again.stdout
    in_the_foreground = running.run("--port", "0", "--demo", "0")
    assert in_the_foreground.returncode == 1
    assert (running.ready(), running.children()) == before

    status = running.run("--status")
    assert status.returncode == 0
    for said in (again.stdout, status.stdout):
        shown = {line.split()[0]: line for line in said.splitlines() if line.strip()}
        assert before[0]["portal_url"] in shown["Portal"]
        documents = f"{before[0]['api_url']}, documents at {before[0]['docs_url']}"
        assert documents in shown["API"]
        radius = before[0]["radius"]
        ports = f"UDP ports {radius['auth_port']} and {radius['acct_port']}"
        assert f"{radius['host']}, {ports}" in shown["RADIUS"]
        # Without a demonstration nobody can sign in yet; with one, the file is named
        # (tests/journeys/test_demonstration.py).
        assert "manage.py invite_staff NAME" in shown["Sign-ins"]
    assert fetch(before[0]["docs_url"])[0] == 200


def test_manage_py_finds_the_installation(running):
    told = {k: v for k, v in environment().items() if k != "DATABASE_URL"}
    done = subprocess.run(
        [ROOT / "manage.py", "check_integrity"],
        env={**told, "DOTMAC_DATA": str(running.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "invariants hold" in done.stdout


@pytest.mark.parametrize(
    "name", ["web", "worker", "relay", "coa", "radius", "PostgreSQL"]
)
def test_a_killed_program_comes_back(running, name):
    before = running.children()[name]
    os.kill(before, signal.SIGKILL)
    # While it is being started again it is on no list.
    until(lambda: running.children().get(name, before) != before)
    health = running.ready()["health_url"]

    def healthy():
        try:
            return fetch(health)[0] == 200
        except OSError:
            return False

    until(healthy)
    log = (running.folder / "logs" / "supervisor.log").read_text()
    assert f"{name} ended with code -9 and is started again" in log


def test_stop_ctrl_c_and_a_second_start_that_finds_everything_again(running):
    first = _kept(running)
    running.stop()
    assert not (running.folder / "ready.json").exists()
    assert running.run("--status").returncode == 3
    assert "Nothing runs" in running.run("--stop").stdout

    began, said = _until_ctrl_c(running)
    assert "was killed" not in said
    assert not any(started_at(pid) == moment for pid, moment in began.items())
    assert not (running.folder / "ready.json").exists()

    running.up()
    assert _kept(running) == first


@pytest.mark.faults
def test_a_killed_supervisor_leaves_nothing_that_a_reset_does_not_end(running):
    began = _beginnings(running)
    os.kill(running.supervisor, signal.SIGKILL)
    until(lambda: running.run("--status").returncode == 3)

    key = (running.folder / "secrets" / "encryption.key").read_text()
    running.up("--reset")
    for pid, moment in began.items():
        assert started_at(pid) != moment
    assert fetch(running.ready()["health_url"])[0] == 200
    assert (running.folder / "secrets" / "encryption.key").read_text() != key


def _until_ctrl_c(start):
    """A start in the foreground, interrupted once it is ready."""
    process = subprocess.Popen(
        start.command("--port", "0", "--demo", "0"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until((start.folder / "ready.json").exists, seconds=200)
    began = _beginnings(start)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return began, said


def _beginnings(start):
    return {pid: started_at(pid) for pid in start.children().values()}


def _kept(start):
    """What a second start finds again: the database and its port."""
    facts = json.loads((start.folder / "demo-credentials.json").read_text())
    ports = json.loads((start.folder / "installation.json").read_text())["ports"]
    return facts["database_url"], ports["postgres"]


def test_a_port_in_use_is_one_sentence(tmp_path, busy_port):
    start = Start(tmp_path / "state")
    for words in ([], ["--detach"]):
        done = start.run("--port", str(busy_port), "--demo", "0", *words)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert f"Port {busy_port} is in use" in done.stderr
    assert not (start.folder / "ready.json").exists()


def test_bad_folders_and_bad_options_are_sentences(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("")
    (tmp_path / "open").mkdir(mode=0o755)
    for name, said in (
        ("theirs", "holds something that DotMac did not make"),
        ("file", "is not a folder"),
        ("open", "run chmod 700"),
        ("/proc/nowhere", "nowhere"),
    ):
        done = Start(tmp_path / name).run("--detach", "--demo", "0", "--port", "0")
        assert done.returncode == 1, name
        assert said in done.stderr
        assert "Traceback" not in done.stderr + done.stdout
    done = Start(tmp_path / "theirs").run("--reset", "--demo", "0")
    assert done.returncode == 1
    assert (tmp_path / "theirs" / "thesis.txt").exists()
    assert Start(tmp_path / "new").run("--demo", "-1").returncode == 2
    assert Start(tmp_path / "new").run("--port", "70000").returncode == 2


def test_outside_servers_that_do_not_answer_are_sentences(tmp_path, busy_port):
    nothing = f"postgresql://x:y@127.0.0.1:{busy_port + 1}/dotmac?connect_timeout=2"
    done = Start(tmp_path / "state").run(
        "--detach", "--demo", "0", "--port", "0",
        DATABASE_URL=nothing, REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    assert done.returncode == 1
    assert "DATABASE_URL: no connection" in done.stderr
    assert "Traceback" not in done.stderr


def test_servers_of_ones_own_are_used_as_they_are(own_database, fresh):
    own = {name: os.environ[name] for name in _URLS}
    own["REDIS_URL"] = os.environ["REDIS_URL"].removesuffix("/0") + "/9"
    done = fresh.run("--detach", "--demo", "0", "--port", "0", **own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PostgreSQL" not in fresh.children()
    assert "Valkey" not in fresh.children()
    assert fetch(fresh.ready()["health_url"])[0] == 200
    facts = json.loads((fresh.folder / "demo-credentials.json").read_text())
    assert facts["database_url"] == own["DATABASE_URL"]
    assert facts["redis_url"] == own["REDIS_URL"]


def test_outside_roles_are_never_changed_behind_their_backs(own_database, tmp_path):
    start = Start(tmp_path / "state")
    redis_url = os.environ["REDIS_URL"]
    words = ("--detach", "--demo", "0", "--port", "0")
    app_only = start.run(
        *words, DATABASE_URL=os.environ["DATABASE_URL"], REDIS_URL=redis_url
    )
    assert app_only.returncode == 1
    assert "set RADIUS_DATABASE_URL" in app_only.stderr

    superuser = os.environ["DOTMAC_TEST_SUPERUSER_URL"]
    all_ours = start.run(*words, DATABASE_URL=superuser, REDIS_URL=redis_url)
    assert all_ours.returncode == 1
    assert "has the role dotmac_" in all_ours.stderr
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("dotmac_app",)


_URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "RADIUS_DATABASE_URL")
