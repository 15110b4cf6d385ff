"""Real servers for a test run, shared by its workers.

The controller process starts PostgreSQL and Valkey, makes one template
database by running the migrations as their owner, and tells the workers the
addresses through the environment. Every test database is a clone of it.

DOTMAC_TEST_DIR keeps the servers' files between runs; the template is then
rebuilt only when a migration changed.

Whoever sets DOTMAC_TEST_TEMPLATE brings servers and template along: pytest's
workers, and tools/plant_faults.py, whose faulty templates have names of their own
(tools/faults/database.py) and are never the one that is found here.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from dotmac.devtools.bootstrap import ROLES, bootstrap
from dotmac.devtools.servers import Postgres, Valkey, write_secret

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "for-tests-on-loopback"
TEMPLATE_S = 300
FAILED = "template.failed"


@dataclass
class Servers:
    folder: Path
    postgres: Postgres
    valkey: Valkey
    making: threading.Thread | None = None

    def stop(self) -> None:
        if self.making is not None:
            self.making.join()
        self.valkey.stop()
        self.postgres.stop()


def start(*, beside: bool = False) -> Servers:
    """Start the servers, set the environment, make the template database.

    `beside`: the template is made while the caller goes on (workers collect their
    tests meanwhile); `await_template` says when it is there.
    """
    kept = os.environ.get("DOTMAC_TEST_DIR")
    folder = Path(kept or tempfile.mkdtemp(prefix="dotmac-test-")).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Durability costs time and protects nothing here; tests that kill servers
    # start their own.
    postgres = Postgres(
        folder / "postgres",
        password=_superuser_password(folder / "postgres.superuser"),
        settings={"fsync": "off", "full_page_writes": "off"},
    )
    postgres.start()
    valkey = Valkey(folder / "valkey", durable=False)
    valkey.start()
    servers = Servers(folder, postgres, valkey)
    _make_secrets(folder / "secrets")
    template = _template_name()
    os.environ |= {
        "DOTMAC_TEST_FOLDER": str(folder),
        "DOTMAC_TEST_TEMPLATE": template,
        "DOTMAC_TEST_SUPERUSER_URL": postgres.url("postgres"),
        "DOTMAC_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "dotmac.settings.test",
        "REDIS_URL": valkey.url(),
        **database_environment(postgres.port, template),
    }
    (folder / FAILED).unlink(missing_ok=True)
    make = _TemplateMaker(servers, template, dict(os.environ))
    if beside:
        servers.making = threading.Thread(target=make.or_tell, name="template")
        servers.making.start()
        return servers
    try:
        make()
    except BaseException:
        servers.stop()
        raise
    return servers


def _superuser_password(path: Path) -> str:
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(24))
    return path.read_text()


def database_environment(port: int, name: str) -> dict[str, str]:
    """The URLs of one database as each role."""
    base = f"{PASSWORD}@127.0.0.1:{port}/{name}"
    return {
        "DATABASE_URL": f"postgresql://dotmac_app:{base}",
        "DATABASE_OWNER_URL": f"postgresql://dotmac_owner:{base}",
        "RADIUS_DATABASE_URL": f"postgresql://radius:{base}",
    }


def untraced() -> dict[str, str]:
    """The environment without coverage, for programs that trace costs more than work."""
    return {k: v for k, v in os.environ.items() if not k.startswith("COV")}


def clone_database(name: str) -> None:
    """A fresh copy of the template, replacing one of that name."""
    template = os.environ["DOTMAC_TEST_TEMPLATE"]
    with psycopg.connect(
        os.environ["DOTMAC_TEST_SUPERUSER_URL"], autocommit=True
    ) as admin:
        _drop(admin, name)
        admin.execute(
            # Files are copied as they are: half the time of writing them to the WAL.
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE {} OWNER dotmac_owner STRATEGY FILE_COPY"
            ).format(sql.Identifier(name), sql.Identifier(template))
        )
        # Privileges of a database are not part of what a template hands on.
        for line in (
            "REVOKE ALL ON DATABASE {} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {} TO dotmac_app, radius",
        ):
            admin.execute(sql.SQL(line).format(sql.Identifier(name)))


def await_template() -> None:
    """Return once the template has its name, which it gets when it is whole."""
    name = os.environ["DOTMAC_TEST_TEMPLATE"]
    failed = Path(os.environ["DOTMAC_TEST_FOLDER"]) / FAILED
    until = time.monotonic() + TEMPLATE_S
    found = "SELECT 1 FROM pg_database WHERE datname = %s"
    url = os.environ["DOTMAC_TEST_SUPERUSER_URL"]
    with psycopg.connect(url, autocommit=True) as admin:
        while not admin.execute(found, [name]).fetchone():
            if failed.exists():
                raise RuntimeError(f"There is no template: {failed.read_text()}")
            if time.monotonic() > until:
                raise RuntimeError(f"There is no template after {TEMPLATE_S} s.")
            time.sleep(0.1)


def drop_database(name: str) -> None:
    with psycopg.connect(
        os.environ["DOTMAC_TEST_SUPERUSER_URL"], autocommit=True
    ) as admin:
        _drop(admin, name)


def _drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def _make_secrets(folder: Path) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    if not (folder / "encryption.key").exists():
        write_secret(folder / "encryption.key", f"1:{secrets.token_hex(32)}\n")
    if not (folder / "paystack.key").exists():
        write_secret(folder / "paystack.key", f"sk_test_{secrets.token_hex(20)}\n")
    for name in ("jwt.key", "audit.key"):
        if not (folder / name).exists():
            subprocess.run(
                [sys.executable, "-c", _MAKE_SIGNING_KEY, str(folder / name)],
                check=True,
            )


_MAKE_SIGNING_KEY = """
import os, sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
pem = Ed25519PrivateKey.generate().private_bytes(
    s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
with os.fdopen(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
    f.write(pem)
"""


def _template_name() -> str:
    """Changes whenever a migration, its SQL or the seeding changes."""
    digest = hashlib.sha256()
    patterns = (
        "apps/*/migrations/*.py", "apps/*/sql/*.sql", "apps/network/radius/vendors/*",
    )  # fmt: skip
    for pattern in patterns:
        for path in sorted(path for path in ROOT.glob(pattern) if path.is_file()):
            digest.update(path.read_bytes())
    # The last ones say which roles there are, and what they may.
    for path in (
        ROOT / "dotmac/core/db.py",
        ROOT / "dotmac/devtools/bootstrap.py",
        *sorted(ROOT.glob("apps/*/apps.py")),
        ROOT / "apps/identity/rules/roles.py",
    ):
        digest.update(path.read_bytes())
    return f"dotmac_template_{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class _TemplateMaker:
    """Makes the template, unless it is there."""

    servers: Servers
    name: str
    settings: dict[str, str]

    def or_tell(self) -> None:
        """Make it; if that fails leave word to those who wait."""
        try:
            self()
        except BaseException:
            (self.servers.folder / FAILED).write_text(traceback.format_exc())
            raise

    def __call__(self) -> None:
        url = self.servers.postgres.url("postgres")
        with psycopg.connect(url, autocommit=True) as admin:
            found = admin.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'dotmac_%'"
            ).fetchall()
            if (self.name,) in found:
                return
            for (old,) in found:
                _drop(admin, old)
        building = f"{self.name}_building"
        bootstrap(url, dict.fromkeys(ROLES, PASSWORD), building)
        settings = {
            **self.settings,
            **database_environment(self.servers.postgres.port, building),
        }
        for command in (["migrate", "--verbosity", "0"], ["sync_roles"]):
            subprocess.run(
                [sys.executable, str(ROOT / "manage.py"), *command],
                env=settings,
                check=True,
            )
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(building), sql.Identifier(self.name)
                )
            )
