"""Says in sentences what is wrong with this machine and this installation.

`python manage.py doctor`, or `python -m dotmac.devtools.doctor` where Django's
settings themselves are what is wrong. Exit code 1 when something is.
"""

from __future__ import annotations

import enum
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import redis
from cryptography.x509 import load_pem_x509_certificate

from dotmac.core.crypto import KeyFileRefused, read_keyring
from dotmac.devtools import bootstrap, plan, probes, radius_probe
from dotmac.devtools.context import ROOT, SETTINGS_FILE, has_freeradius, with_urls
from dotmac.devtools.installation import IRREPLACEABLE, SPACE_MIN, Installation
from dotmac.devtools.outside import VERSION_MIN
from dotmac.devtools.processes import tail

PYTHON_MIN = (3, 11)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
WIFI_FOLDER = "radius-certificates"
ACCOUNTING_FOLDER = "accounting"
# A file of buffered accounting has the records of ten seconds; the replay deletes it half
# a minute later.
ACCOUNTING_SLICE_S, ACCOUNTING_LATE_S = 10, 120
# What make_radius_certificates makes, how long before its end it is said, and what
# is to be done.
WIFI_CERTIFICATES = (
    (
        "server.pem",
        "The RADIUS server's certificate for Wi-Fi",
        timedelta(days=30),
        "run manage.py make_radius_certificates and restart FreeRADIUS",
    ),
    (
        "authority.pem",
        "The authority that phones on the Wi-Fi trust",
        timedelta(days=400),
        'see "Wi-Fi with logins" in docs/radius.md',
    ),
)


class Verdict(enum.Enum):
    """How a check ended, with the mark that people see."""

    GOOD = "✓"
    NOTE = "-"
    BAD = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    sentence: str


Findings = Iterator[Finding]
Settings = Mapping[str, str]


def good(sentence: str) -> Finding:
    return Finding(Verdict.GOOD, sentence)


def note(sentence: str) -> Finding:
    return Finding(Verdict.NOTE, sentence)


def bad(sentence: str) -> Finding:
    return Finding(Verdict.BAD, sentence)


def examine(folder: Path, settings: Settings) -> list[Finding]:
    """All findings, in the order in which things depend on each other."""
    installation = Installation(folder)
    found = [*machine(folder), *state_folder(installation)]
    found += certificates(wifi_folder(folder, settings), datetime.now(UTC))
    waiting = settings.get("RADIUS_BUFFER_DIR") or folder / ACCOUNTING_FOLDER
    found += accounting(Path(waiting), datetime.now(UTC))
    if not settings.get("DATABASE_URL"):
        return found
    found += [*secrets(installation), *database(settings), *valkey(settings)]
    if all(finding.verdict != Verdict.BAD for finding in found):
        found += programs(installation, settings)
    return found


def machine(folder: Path) -> Findings:
    """Python, room on the disk, FreeRADIUS."""
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info[:2]) >= PYTHON_MIN:
        yield good(f"Python {version} is new enough.")
    else:
        yield bad(f"Python {version} is too old: install 3.11 or later.")
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < SPACE_MIN:
        yield bad(f"The disk that holds {folder} has {free // 10**6} MB free.")
    else:
        yield good(f"The disk that holds {folder} has {free / 10**9:.1f} GB free.")
    if has_freeradius():
        yield good("FreeRADIUS is installed.")
    else:
        yield note(
            "FreeRADIUS is not installed: the built-in RADIUS server does PAP, CHAP and "
            "MS-CHAPv2, no Wi-Fi with logins. Debian: python3 scripts/start.py --install-freeradius, as root."
        )


def state_folder(installation: Installation) -> Findings:
    """The folder itself: there, private, whole."""
    root = installation.root
    if not installation.exists:
        yield note(f"There is no installation in {root}: scripts/start.py makes one.")
        return
    if root.stat().st_mode & _OTHERS:
        yield bad(f"{root} is open to other users: run chmod 700 {root}.")
    else:
        yield good(f"{root} is private.")
    if installation.facts().get("filling"):
        yield note("The demonstration was half loaded; the next start begins again.")


def secrets(installation: Installation) -> Findings:
    """Every secret is there and only its owner reads it."""
    folder = installation.secrets
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.stat().st_mode & _OTHERS:
            yield bad(f"{path} is open to other users: run chmod 600 {path}.")
    has_data = (installation.postgres / "PG_VERSION").exists()
    for name in IRREPLACEABLE:
        if has_data and not (folder / name).exists():
            yield bad(f"{folder / name} is missing: restore it from a copy.")
    try:
        keys = read_keyring(folder / "encryption.key")
    except KeyFileRefused as refusal:
        yield bad(str(refusal))
    else:
        yield good(f"The encryption key with id {keys.current.id} can be read.")


def wifi_folder(folder: Path, settings: Settings) -> Path:
    """Where make_radius_certificates leaves its files."""
    return Path(settings.get("RADIUS_CERTIFICATES_DIR") or folder / WIFI_FOLDER)


def certificates(folder: Path, now: datetime) -> Findings:
    """Until when phones accept the RADIUS server, where there is Wi-Fi with logins."""
    for name, what, soon, advice in WIFI_CERTIFICATES:
        path = folder / name
        if not path.exists():
            continue
        if path.stat().st_mode & _OTHERS:
            yield bad(f"{path} is open to other users: run chmod 600 {path}.")
        try:
            until = load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        except (OSError, ValueError):
            yield bad(f"{path} holds no certificate: restore it from a copy.")
            continue
        if until <= now:
            yield bad(f"{what} expired on {until:%d %b %Y}: {advice}.")
        elif until <= now + soon:
            yield note(f"{what} expires on {until:%d %b %Y}: {advice}.")
        else:
            yield good(f"{what} is valid until {until:%d %b %Y}.")


def accounting(folder: Path, now: datetime) -> Findings:
    """That buffered accounting goes on into the database, where it is buffered."""
    if not folder.is_dir():
        return
    if folder.stat().st_mode & _OTHERS:
        yield bad(f"{folder} is open to other users: run chmod 700 {folder}.")
    begun = sorted(int(p.stem) for p in folder.glob("*.acct") if p.stem.isdecimal())
    since = datetime.fromtimestamp(begun[0] * ACCOUNTING_SLICE_S, UTC) if begun else now
    if (now - since).total_seconds() > ACCOUNTING_LATE_S:
        yield bad(
            f"Accounting waits in {folder} since {since:%d %b %Y %H:%M:%S} UTC: "
            "run manage.py run_accounting_replay beside the RADIUS server."
        )
    else:
        yield good("Buffered accounting goes on into the database.")
    if (folder / "refused").exists():
        yield note(f"PostgreSQL refused what is in {folder / 'refused'}: look at it.")


def database(settings: Settings) -> Findings:
    """PostgreSQL answers, is new enough, and has what DotMac needs."""
    try:
        with psycopg.connect(settings["DATABASE_URL"], connect_timeout=5) as connection:
            yield from _inside(connection)
    except psycopg.Error as error:
        said = (str(error).strip().splitlines() or ["no answer"])[0]
        yield bad(f"PostgreSQL does not answer ({said}): is DotMac started?")


def _inside(connection: psycopg.Connection[tuple[object, ...]]) -> Findings:
    version = connection.info.server_version
    if version < VERSION_MIN:
        yield bad(f"PostgreSQL {version // 10_000} is too old: 15 is the oldest.")
    else:
        yield good(f"PostgreSQL {version // 10_000} answers.")
    if connection.info.parameter_status("is_superuser") == "on":
        yield note(
            "DATABASE_URL is a superuser's: the database cannot guard its append-only "
            "tables against the application. Use the role dotmac_app."
        )
    rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
    lacking = set(bootstrap.EXTENSIONS) - {str(row[0]) for row in rows}
    if lacking:
        yield bad(f"PostgreSQL lacks the extensions {', '.join(sorted(lacking))}.")
    yield from _migrations(connection)


def _migrations(connection: psycopg.Connection[tuple[object, ...]]) -> Findings:
    made = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    if not made or made[0] is None:
        yield bad("The database has no tables: run manage.py migrate.")
        return
    rows = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    paths = ROOT.glob("apps/*/migrations/[0-9]*.py")
    known = {(path.parts[-3], path.stem) for path in paths}
    waiting = known - {(str(app), str(name)) for app, name in rows}
    if waiting:
        names = ", ".join(f"{app} {name}" for app, name in sorted(waiting))
        yield bad(f"Migrations wait ({names}): start again, or run manage.py migrate.")
    else:
        yield good("Every migration has run.")


def valkey(settings: Settings) -> Findings:
    """Redis or Valkey answers and will not throw queued work away."""
    try:
        with redis.Redis.from_url(settings["REDIS_URL"], socket_timeout=5) as client:
            facts = client.info("memory")
    except (redis.RedisError, ValueError, KeyError) as error:
        yield bad(f"Redis does not answer ({error}): is DotMac started?")
        return
    policy = facts.get("maxmemory_policy", "unknown")
    if policy == "noeviction":
        yield good("Redis or Valkey answers and keeps what it is given.")
    else:
        yield bad(f"Redis may throw queued work away ({policy}): set noeviction.")


def programs(installation: Installation, settings: Settings) -> Findings:
    """Each program answers as it did at the start."""
    if not installation.ready():
        yield note("DotMac is not started.")
        return
    checks: dict[str, Callable[[], bool]] = {
        "web": lambda: probes.page_comes(f"{settings['BASE_URL']}/health/live"),
        "worker": lambda: probes.workers_answer(settings["REDIS_URL"]),
        "relay": lambda: probes.heart_beats(settings["REDIS_URL"]),
        "coa": lambda: probes.heart_beats(settings["REDIS_URL"], probes.COA_HEARTBEAT),
        "radius": lambda: radius_probe.answers(
            host=settings["RADIUS_HOST"],
            port=int(settings["RADIUS_AUTH_PORT"]),
            secret=installation.secret(radius_probe.SECRET),
        ),
    }
    says = {entry.name: entry.says for entry in plan.TABLE}
    for name, answers in checks.items():
        if answers():
            yield good(f"{says[name]} answers.")
        else:
            log = installation.logs / f"{name}.log"
            yield bad(f"{says[name]} does not answer; {log} ends:\n{tail(log, 3)}")


def read_settings(folder: Path) -> dict[str, str]:
    """What manage.py would use: the environment, else the last start's addresses."""
    if {"DATABASE_URL", "DATABASE_URL_PATH"} & os.environ.keys():
        return with_urls(os.environ)
    path = folder / SETTINGS_FILE
    lines = path.read_text().splitlines() if os.access(path, os.R_OK) else []
    return with_urls(dict(line.split("=", 1) for line in lines if "=" in line))


def main() -> int:
    """Print all findings; 1 when something is wrong."""
    folder = Path(os.environ.get("DOTMAC_DATA") or ROOT / ".dotmac").absolute()
    found = examine(folder, read_settings(folder))
    for finding in found:
        print(f"  {finding.verdict.value} {finding.sentence}")
    wrong = sum(finding.verdict == Verdict.BAD for finding in found)
    print(f"To put right: {wrong}." if wrong else "Nothing is wrong.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
