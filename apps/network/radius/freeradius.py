"""A private configuration for FreeRADIUS, and the command that runs it.

Secrets stand in two files of mode 0600 beside it and nowhere else: `pgpass`
(the password of role radius) and `service.conf` (the keys, as options of the
session). libpq reads both whenever it opens a session, so a new key is known to
each session as it is renewed, and no process has a key in its environment.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from apps.network.radius import buffer
from apps.network.radius.database import (
    CONNECT_TIMEOUT_S,
    SILENT_HOST_MS,
    RadiusDatabase,
)

DICTIONARIES = Path("/usr/share/freeradius")
MODULES = (
    Path("/usr/lib/freeradius"),
    Path("/usr/lib64/freeradius"),
    Path("/usr/lib/x86_64-linux-gnu/freeradius"),
)
# Read by radiusd.conf where they are there: they need a certificate.
RADSEC_FILE = "radsec.conf"
CERTIFIED_FILES = ("eap.conf", "inner.conf", RADSEC_FILE)
# The same for buffered accounting.
BUFFER_FILES = ("buffer.conf", "buffer_modules.conf", "remember.conf")
REMEMBERED = "nases.sqlite"
SERVICE, SERVICE_FILE = "dotmac", "service.conf"
LOOPBACK = "127.0.0.0/8"
# For how long a server remembers a NAS, its secret and whether it is enabled: one
# look-up for each of them in that time. A secret is switched at a chosen minute.
CLIENT_LIFETIME_S = 15
RADSEC_PORT = 2083  # RFC 6614
_IPV4 = 4


class FreeRadiusMissing(Exception):
    """The program or its PostgreSQL module is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSettings:
    """Where the server listens, and to which networks."""

    host: str
    more_hosts: tuple[str, ...] = ()
    auth_port: int
    acct_port: int
    networks: tuple[str, ...] = (LOOPBACK,)
    threads: int = 8
    lifetime_s: int = CLIENT_LIFETIME_S
    session_lifetime_s: int = 60
    reject_delay_s: int = 1
    decisions: Path
    # The folder of `certificates`, which has a server's certificate; None: no EAP
    # and no RadSec.
    certificates: Path | None = None
    # The folder in which accounting waits for PostgreSQL; None: it goes there at once.
    buffer: Path | None = None
    # 0: no RadSec.
    radsec_port: int = RADSEC_PORT


def program() -> str | None:
    """The daemon's path, under either of its names; None when not installed."""
    path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
    return shutil.which("freeradius", path=path) or shutil.which("radiusd", path=path)


def module_dir() -> Path | None:
    """Where the daemon's modules lie, when the one for PostgreSQL is among them."""
    for folder in MODULES:
        if (folder / "rlm_sql_postgresql.so").exists():
            return folder
    return None


def is_installed() -> bool:
    return program() is not None and module_dir() is not None


def write_configuration(
    directory: Path,
    *,
    templates: Path,
    database: RadiusDatabase,
    listen: ListenSettings,
    options: str,
) -> None:
    """Write a whole configuration; repeating it replaces the files.

    `templates` is deploy/freeradius, `options` the text of `session_settings`.
    """
    libraries = module_dir()
    if libraries is None:
        raise FreeRadiusMissing(
            "FreeRADIUS with PostgreSQL is not installed. On Debian: "
            "apt-get install freeradius freeradius-postgresql"
        )
    directory = directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    listen.decisions.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {
        "DIR": str(directory),
        "LIBDIR": str(libraries),
        "SESSION_LIFETIME": str(listen.session_lifetime_s),
        "THREADS": str(listen.threads),
        # The daemon looks up unknown NASes outside its threads.
        "CONNECTIONS": str(listen.threads + 1),
        "REJECT_DELAY": str(listen.reject_delay_s),
        "DECISIONS": str(listen.decisions.resolve()),
        "DB_NAME": database.name,
        "DB_USER": database.user,
    }
    _write_templates(directory, templates, listen, values | _optional(listen))
    _write(directory / "dictionary", "# Nothing beyond the distribution's.\n")
    _write(directory / "pgpass", database.pgpass() + "\n")
    write_keys(directory, options)
    _write_environment(directory, database)
    if listen.buffer is None:
        (directory / REMEMBERED).unlink(missing_ok=True)
    else:
        _make_memory(directory / REMEMBERED)


def _write_templates(
    directory: Path, templates: Path, listen: ListenSettings, values: dict[str, str]
) -> None:
    """Those of this configuration; files of another one go."""
    for template in _chosen(templates, listen):
        text = _render(template.read_text(), values)
        for mark, section in _sections(listen).items():
            text = text.replace(mark, section)
        _write(directory / template.name, text)
    for name in _left_out(listen):
        (directory / name).unlink(missing_ok=True)


def _optional(listen: ListenSettings) -> dict[str, str]:
    """What only some configurations have; the folder of the buffer is made."""
    values = {"ACCOUNTING": "direct.conf"}
    if listen.certificates is not None:
        values["CERTIFICATES"] = str(listen.certificates.resolve())
    if listen.buffer is not None:
        buffer.make_folder(listen.buffer)
        values["ACCOUNTING"] = "buffer.conf"
        values["BUFFER"] = str(listen.buffer.resolve())
    return values


def _make_memory(path: Path) -> None:
    """A database for the NASes' secrets; one that is there keeps what it has."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(path)) as memory, memory:
        memory.execute(
            "CREATE TABLE IF NOT EXISTS nases (address TEXT PRIMARY KEY, facts TEXT)"
        )


def _sections(listen: ListenSettings) -> dict[str, str]:
    """What is there once for each address or network."""
    return {
        "@CLIENTS@": _clients(listen),
        "@LISTEN@": _doors(listen),
        "@RADSEC_CLIENTS@": _radsec_clients(listen),
        "@RADSEC_LISTEN@": _radsec_doors(listen),
    }


def _chosen(templates: Path, listen: ListenSettings) -> list[Path]:
    """The files of a configuration: each in the folder, read from radiusd.conf on."""
    without = _left_out(listen)
    return sorted(p for p in templates.glob("*.conf") if p.name not in without)


def _left_out(listen: ListenSettings) -> list[str]:
    """Files that this configuration does not have."""
    names: list[str] = []
    if listen.certificates is None:
        names += CERTIFIED_FILES
    elif not listen.radsec_port:
        names.append(RADSEC_FILE)
    if listen.buffer is None:
        names += BUFFER_FILES
    return names


def _write_environment(directory: Path, database: RadiusDatabase) -> None:
    """Where libpq finds the hosts, the password and the keys; no secret stands in it."""
    environment = {
        "PGPASSFILE": str(directory / "pgpass"),
        "PGSERVICEFILE": str(directory / SERVICE_FILE),
        "PGSERVICE": SERVICE,
        "PGHOST": database.host,
        "PGPORT": database.port,
    }
    environment |= {
        "PG" + name.replace("_", "").upper(): value for name, value in database.tls
    }
    lines = (f"{name}={value}\n" for name, value in environment.items())
    _write(directory / "environment", "".join(lines))


def write_keys(directory: Path, options: str) -> None:
    """What sessions that begin from now on are told."""
    settings = {
        "options": options,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": SILENT_HOST_MS,
    }
    lines = (f"{name}={value}\n" for name, value in settings.items())
    _write(directory / SERVICE_FILE, f"[{SERVICE}]\n" + "".join(lines))


def renew_keys(directory: Path, options: str) -> bool:
    """The same, where a configuration was written before; False elsewhere."""
    if not (directory / SERVICE_FILE).exists():
        return False
    write_keys(directory, options)
    return True


def run_command(directory: Path) -> list[str]:
    """The command line that runs the daemon in the foreground, logging to stdout."""
    daemon = program()
    if daemon is None:
        raise FreeRadiusMissing("FreeRADIUS is not installed.")
    where = str(directory.resolve())
    dictionaries = str(DICTIONARIES)
    return [
        daemon,
        "-f",
        "-l",
        "stdout",
        "-d",
        where,
        "-D",
        dictionaries,
        "-n",
        "radiusd",
    ]


def run_environment(directory: Path) -> dict[str, str]:
    """What the daemon needs in its environment, read from the 0600 file."""
    text = (directory / "environment").read_text()
    pairs = dict(line.split("=", 1) for line in text.splitlines())
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **pairs}


def _doors(listen: ListenSettings) -> str:
    """Two sockets at each address: one for logins, one for accounting."""
    sections = []
    for host in (listen.host, *listen.more_hosts):
        kind = "ipv6addr" if ":" in host else "ipaddr"
        for door, port in (("auth", listen.auth_port), ("acct", listen.acct_port)):
            sections.append(
                "\tlisten {\n"
                f"\t\ttype = {door}\n"
                f"\t\t{kind} = {_harmless('host', host)}\n"
                f"\t\tport = {port}\n"
                "\t}"
            )
    return "\n".join(sections)


def _radsec_doors(listen: ListenSettings) -> str:
    """A TLS socket at each address, for both kinds of requests."""
    if listen.certificates is None:
        return ""
    folder = _harmless("certificates", str(listen.certificates.resolve()))
    return "\n".join(
        _RADSEC_LISTEN.format(
            kind="ipv6addr" if ":" in host else "ipaddr",
            host=_harmless("host", host),
            port=listen.radsec_port,
            folder=folder,
        )
        for host in (listen.host, *listen.more_hosts)
    )


# Connections stay: NASes open one and keep it.
_RADSEC_LISTEN = """\
listen {{
\ttype = auth+acct
\tproto = tcp
\t{kind} = {host}
\tport = {port}
\tvirtual_server = dotmac
\tclients = radsec
\tlimit {{
\t\tmax_connections = 0
\t\tlifetime = 0
\t\tidle_timeout = 0
\t}}
\ttls {{
\t\tprivate_key_file = "{folder}/server.pem"
\t\tcertificate_file = "{folder}/server.pem"
\t\tca_file = "{folder}/ca.pem"
\t\trequire_client_cert = yes
\t\ttls_min_version = "1.2"
\t\ttls_max_version = "1.2"
\t\tcipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES"
\t\tecdh_curve = "prime256v1"
\t\tfragment_size = 8192
\t\tcache {{
\t\t\tenable = no
\t\t}}
\t}}
}}"""


def _radsec_clients(listen: ListenSettings) -> str:
    return _networks(
        listen,
        "radsec",
        "\tproto = tls\n\tsecret = radsec\n\tshortname = radsec\n"
        "\trequire_message_authenticator = no\n\tlimit {\n\t\tmax_connections = 0\n"
        "\t\tlifetime = 0\n\t\tidle_timeout = 0\n\t}\n",
    )


def _clients(listen: ListenSettings) -> str:
    return _networks(
        listen,
        "nases",
        f"\tdynamic_clients = dynamic_clients\n\tlifetime = {listen.lifetime_s}\n"
        "\trate_limit = no\n",
    )


def _networks(listen: ListenSettings, name: str, lines: str) -> str:
    """A section for each network from which NASes may ask."""
    sections = []
    for number, network in enumerate(listen.networks, 1):
        parsed = ipaddress.ip_network(network.strip())
        # The daemon wants a network here. The neighbour stays unknown to PostgreSQL.
        if parsed.prefixlen == parsed.max_prefixlen:
            parsed = parsed.supernet()
        kind = "ipaddr" if parsed.version == _IPV4 else "ipv6addr"
        sections.append(f"client {name}{number} {{\n\t{kind} = {parsed}\n{lines}}}")
    return "\n".join(sections)


def _render(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", _harmless(name, value))
    return text


def _harmless(name: str, value: str) -> str:
    if not value.isprintable() or '"' in value or "\\" in value:
        raise ValueError(f"{name} holds a character that has no place here.")
    return value


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole; it is never open to others, not for a moment."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(draft, flags, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
