"""Where everything of a running installation is, and what its programs are told."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dotmac.devtools.bootstrap import Addresses
from dotmac.devtools.installation import Installation
from dotmac.devtools.servers import CLEAN, HOST, write_secret

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ("apps", "dotmac")
SETTINGS_FILE = "settings.env"
FREERADIUS_MODULES = (
    "/usr/lib/freeradius",
    "/usr/lib64/freeradius",
    "/usr/lib/x86_64-linux-gnu/freeradius",
)
# Of the machine, not of DotMac: certificates and proxies. Coverage is not among them:
# its tracing would double what the tests' starts cost.
PASSED_ON = (
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
)
# What a start decides itself, whatever the caller's environment says.
DECIDED = (
    "DATABASE_OWNER_URL",
    "DATABASE_OWNER_URL_PATH",
    "DATABASE_URL",
    "DATABASE_URL_PATH",
    "DEMO",
    "DOTMAC_DATA",
    "DOTMAC_VENV",
    "ENVIRONMENT",
    "RADIUS_ACCT_PORT",
    "RADIUS_AUTH_PORT",
    "RADIUS_DATABASE_URL",
    "RADIUS_DATABASE_URL_PATH",
    "RADIUS_HOST",
    "REDIS_URL",
    "REDIS_URL_PATH",
    "STATIC_ROOT",
)


@cache
def documented_settings() -> frozenset[str]:
    """The names in .env.template: what a person may set for all programs."""
    text = (ROOT / ".env.template").read_text()
    return frozenset(re.findall(r"(?m)^#?([A-Z][A-Z0-9_]+)=", text))


def given_settings() -> dict[str, str]:
    """What the caller's environment says, and nothing else of it goes on."""
    names = (documented_settings() - set(DECIDED)) | set(PASSED_ON)
    return {name: os.environ[name] for name in sorted(names & os.environ.keys())}


@dataclass(frozen=True, kw_only=True)
class Context:
    """One start of one installation."""

    installation: Installation
    addresses: Addresses
    redis_url: str
    web_port: int
    auth_port: int
    acct_port: int
    smtp_port: int
    gateway_port: int
    demo: int
    began: float = field(default_factory=time.time)

    @property
    def base_url(self) -> str:
        return os.environ.get("BASE_URL") or f"http://{HOST}:{self.web_port}"

    @property
    def radius_server(self) -> str:
        return "freeradius" if self.freeradius else "embedded"

    @property
    def freeradius(self) -> bool:
        """FreeRADIUS answers where it is installed, the built-in server elsewhere."""
        return has_freeradius()

    def environment(
        self, *, owner: bool = False, radius: bool = False
    ) -> dict[str, str]:
        """What a program is told. Only migrations get the owner's address, and
        only RADIUS gets the address of its role."""
        told = {
            **CLEAN,
            "HOME": str(self.installation.run),
            "PYTHONUNBUFFERED": "1",
            **self.settings(),
        }
        if owner:
            told |= self._told("DATABASE_OWNER_URL")
        if radius:
            told |= self._told("RADIUS_DATABASE_URL")
        return told

    def settings(self) -> dict[str, str]:
        """The settings by name, as .env.template lists them."""
        return {
            "DJANGO_SETTINGS_MODULE": "dotmac.settings.development",
            "ENVIRONMENT": "development",
            "DOTMAC_DATA": str(self.installation.root),
            "DEMO": "true" if self.demo else "false",
            **self._told("DATABASE_URL", "REDIS_URL"),
            "RADIUS_HOST": HOST,
            "RADIUS_AUTH_PORT": str(self.auth_port),
            "RADIUS_ACCT_PORT": str(self.acct_port),
            # A fixed port, and a start looks for free ones: only who asks for it.
            "RADIUS_RADSEC_PORT": "0",
            "EMAIL_HOST": HOST,
            "EMAIL_PORT": str(self.smtp_port),
            "PAYSTACK_BASE_URL": f"http://{HOST}:{self.gateway_port}",
            "BASE_URL": self.base_url,
            **given_settings(),
        }

    def urls(self) -> dict[str, str]:
        """Addresses with their passwords: in files, never in an environment."""
        return {
            "DATABASE_URL": self.addresses.app,
            "DATABASE_OWNER_URL": self.addresses.owner,
            "RADIUS_DATABASE_URL": self.addresses.radius,
            "REDIS_URL": self.redis_url,
        }

    def _url_file(self, name: str) -> Path:
        return self.installation.secrets / f"{name.lower().replace('_', '-')}"

    def _told(self, *names: str) -> dict[str, str]:
        return {f"{name}_PATH": str(self._url_file(name)) for name in names}

    def write_settings(self) -> None:
        """For manage.py and the programs, readable by their owner only."""
        for name, url in self.urls().items():
            write_secret(self._url_file(name), url + "\n")
        known = {**self.settings(), **self._told(*self.urls())}
        text = "".join(f"{name}={value}\n" for name, value in sorted(known.items()))
        write_secret(self.installation.root / SETTINGS_FILE, text)

    def fingerprint(self) -> str:
        """Changes with every source file, setting and address."""
        known = json.dumps([self.settings(), self.urls()], sort_keys=True)
        digest = hashlib.sha256(known.encode())
        for folder in SOURCES:
            for path in sorted((ROOT / folder).rglob("*")):
                if "__pycache__" not in path.parts and path.is_file():
                    facts = path.stat()
                    text = f"{path}{facts.st_size}{facts.st_mtime_ns}"
                    digest.update(text.encode())
        return digest.hexdigest()

    def ready_facts(self, version: str) -> dict[str, object]:
        """What ready.json says (issue 2, section 9)."""
        base = self.base_url
        return {
            "version": version,
            "base_url": base,
            "console_url": f"{base}/console/",
            "portal_url": f"{base}/portal/",
            "api_url": f"{base}/api/v1",
            "schema_url": f"{base}/api/schema",
            "docs_url": f"{base}/api/docs",
            "health_url": f"{base}/health",
            "radius": {
                "server": self.radius_server,
                "host": HOST,
                "auth_port": self.auth_port,
                "acct_port": self.acct_port,
            },
        }


def with_urls(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with the addresses that stand in files, as programs see them."""
    found = dict(settings)
    for name in ("DATABASE_URL", "REDIS_URL"):
        file = Path(settings.get(f"{name}_PATH", ""))
        if name not in found and file.is_file():
            found[name] = file.read_text().strip()
    return found


def manage(*words: str) -> list[str]:
    """A management command in this environment's Python."""
    return [sys.executable, str(ROOT / "manage.py"), *words]


def program(name: str) -> str:
    """A program of this environment, such as celery or granian."""
    return str(Path(sys.executable).parent / name)


def has_freeradius() -> bool:
    """FreeRADIUS with its module for PostgreSQL is installed."""
    program = shutil.which("freeradius", path=CLEAN["PATH"]) or shutil.which(
        "radiusd", path=CLEAN["PATH"]
    )
    modules = (Path(folder, "rlm_sql_postgresql.so") for folder in FREERADIUS_MODULES)
    return bool(program) and any(module.exists() for module in modules)
