"""The state folder of one installation: what is in it, who may read it.

Everything that start.py makes lives here, so removing the folder removes the
installation. A folder that DotMac did not make is never written to.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dotmac.devtools import servers
from dotmac.devtools.refusals import Refused, explain_os_error
from dotmac.devtools.servers import write_secret

MARKER = "installation.json"
FORMAT = 1
SPACE_MIN = 300_000_000
FOLDERS = ("secrets", "logs", "run", "static")
# Without these, what the database holds cannot be opened or read again.
IRREPLACEABLE = ("encryption.key", "postgres-superuser")


@dataclass(frozen=True)
class Installation:
    """The paths of one installation and the facts it remembers."""

    root: Path

    @property
    def ready_file(self) -> Path:
        return self.root / "ready.json"

    @property
    def credentials_file(self) -> Path:
        return self.root / "demo-credentials.json"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def exists(self) -> bool:
        return (self.root / MARKER).is_file()

    def secret(self, name: str) -> str:
        """A generated secret, made at the first asking."""
        path = self.secrets / name
        if not path.exists():
            maker = _MAKERS.get(name, _password)
            write_secret(path, maker())
        return path.read_text().strip()

    def remember(self, **facts: Any) -> None:
        """Add facts to the marker file, all or nothing."""
        known = {**self.facts(), **facts}
        write_secret(self.root / MARKER, json.dumps(known, indent=1) + "\n")

    def facts(self) -> dict[str, Any]:
        """What the installation remembers from start to start."""
        try:
            known = json.loads((self.root / MARKER).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Refused(
                f"{self.root / MARKER} cannot be read ({error}): restore it, or throw "
                "the installation away with --reset."
            ) from error
        return dict(known)

    def write_ready(self, facts: dict[str, Any]) -> None:
        """The file that programs wait for; it appears complete."""
        write_secret(self.ready_file, json.dumps(facts, indent=2) + "\n")

    def ready(self) -> dict[str, Any]:
        """What ready.json says, or nothing while it is not there."""
        try:
            return dict(json.loads(self.ready_file.read_text()))
        except (OSError, ValueError):
            return {}


def open_installation(root: Path) -> Installation:
    """Make the folder or check that what is there can be used."""
    installation = Installation(root)
    try:
        if root.exists():
            _check_folder(installation)
        else:
            root.mkdir(parents=True, mode=0o700)
        for name in FOLDERS:
            (root / name).mkdir(mode=0o700, exist_ok=True)
        _check_space(root)
        if not installation.exists:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            installation.remember(format=FORMAT, created_at=now)
        _check_secrets(installation)
    except OSError as error:
        raise Refused(explain_os_error(error, root)) from error
    return installation


def _check_folder(installation: Installation) -> None:
    root = installation.root
    if not root.is_dir():
        raise Refused(f"{root} is not a folder: give another one with --data.")
    facts = root.stat()
    if facts.st_uid != os.geteuid():
        raise Refused(
            f"{root} belongs to another user: start as that user, or give another "
            "folder with --data."
        )
    strange = {path.name for path in root.iterdir()} - {f"{MARKER}.part", *FOLDERS}
    if not installation.exists and strange:
        raise Refused(
            f"{root} holds something that DotMac did not make "
            f"({', '.join(sorted(strange)[:3])}): give another folder with --data."
        )
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"{root} is open to other users: run chmod 700 {root}.")
    made_as = installation.facts().get("format", FORMAT)
    if made_as != FORMAT:
        raise Refused(
            f"{root} was made by another version of DotMac (format {made_as}): start "
            "with that version, or throw it away with --reset."
        )


def _check_space(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < SPACE_MIN:
        raise Refused(
            f"The disk that holds {root} has {free // 10**6} MB free: make room for "
            f"{SPACE_MIN // 10**6} MB and start again."
        )


def _check_secrets(installation: Installation) -> None:
    for path in sorted(installation.secrets.iterdir()):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Refused(f"{path} is open to other users: run chmod 600 {path}.")
    if not (installation.postgres / "PG_VERSION").exists():
        return
    for name in IRREPLACEABLE:
        if not (installation.secrets / name).exists():
            raise Refused(
                f"{installation.secrets / name} is missing, and the data cannot be "
                "opened without it: restore it, or throw the installation away with "
                "--reset."
            )


def remove(root: Path) -> bool:
    """Delete an installation; never a folder that is none. False if not there."""
    installation = Installation(root)
    if not root.exists():
        return False
    if not installation.exists:
        if any(root.iterdir()):
            raise Refused(f"{root} is no DotMac installation: nothing was deleted.")
        return False
    try:
        servers.remove_data(installation.postgres)
        # The marker goes last: what is half deleted can be deleted again.
        for path in root.iterdir():
            if path.name != MARKER:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        (root / MARKER).unlink()
    except OSError as error:
        raise Refused(explain_os_error(error, root)) from error
    with suppress(OSError):
        root.rmdir()
    return True


def _password() -> str:
    return secrets.token_urlsafe(32)


def _signing_key() -> str:
    return _pem(Ed25519PrivateKey.generate())


def _token_keys() -> str:
    """Ed25519 for our own tokens, RSA for those that other programs read."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return _signing_key() + _pem(rsa_key)


def _pem(key: Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


_MAKERS: dict[str, Callable[[], str]] = {
    "django.key": lambda: secrets.token_urlsafe(64),
    "encryption.key": lambda: f"1:{secrets.token_hex(32)}\n",
    "jwt.key": _token_keys,
    "audit.key": _signing_key,
    "paystack.key": lambda: f"sk_test_{secrets.token_hex(20)}\n",
}


def can_bind(port: int, *, datagram: bool = False, host: str = servers.HOST) -> bool:
    """True when nothing listens there and this user may."""
    kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if not datagram:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Ports:
    """Ports of one installation: the same at every start, where they are free.

    A start takes a while, so what was chosen for a program that comes late is
    held by a socket until `release`: a second start beside it takes others.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._known: dict[str, int] = dict(installation.facts().get("ports", {}))
        self._taken: set[int] = set()
        self._held: list[tuple[bool, socket.socket]] = []

    def hold(self, port: int, *, datagram: bool = False) -> int:
        """Keep others from the port until `release`."""
        kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
        holder = socket.socket(socket.AF_INET, kind)
        if not datagram:
            # Connections of the last start may still be closing (TIME_WAIT).
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((servers.HOST, port))
        if not datagram:
            holder.listen(1)
        self._held.append((datagram, holder))
        return port

    def release(self, *, datagram: bool) -> None:
        """Let our own programs have the ports of that kind."""
        for kind, holder in self._held:
            if kind == datagram:
                holder.close()
        self._held = [held for held in self._held if held[0] != datagram]

    def choose(self, name: str, wanted: int = 0, *, datagram: bool = False) -> int:
        """The remembered port, else the wanted one, else any that is free."""
        for port in (self._known.get(name, 0), wanted):
            if port and port not in self._taken and can_bind(port, datagram=datagram):
                return self._take(name, port)
        kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
        port = servers.free_port(kind=kind)
        while port in self._taken:
            port = servers.free_port(kind=kind)
        return self._take(name, port)

    def demand(self, name: str, port: int) -> int:
        """Exactly this port (0: any free one), or a refusal."""
        if not port:
            return self.choose(name)
        if not can_bind(port):
            reason = "is in use" if port > 1023 else "is in use or needs root"
            raise Refused(
                f"Port {port} {reason}: stop the program that listens there, or give "
                f"another one, for example --port {servers.free_port()}."
            )
        return self._take(name, port)

    def save(self) -> None:
        self._installation.remember(ports=self._known)

    def _take(self, name: str, port: int) -> int:
        self._known[name] = port
        self._taken.add(port)
        return port
