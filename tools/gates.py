"""The gates beside the tests: format, lint, types, security, imports, drift.

`python tools/gates.py` runs all of them and says which one is shut;
`python tools/gates.py format lint` runs some. CI runs them beside pytest (`.ci/run`).
"""

from __future__ import annotations

import os
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
AT_ONCE = 2
SHOWN_LINES = 40
LINES_MAX = 400
# Each version's description, and how drf-spectacular is told which one.
OPENAPI = {
    "docs/openapi.yaml": (),
    "docs/openapi-v2.yaml": (
        "--custom-settings",
        "dotmac.gateway.versions.openapi.V2",
    ),
}


@dataclass(frozen=True)
class Gate:
    """A command that must end with 0; `settings` names Django's settings module."""

    name: str
    words: tuple[str, ...]
    settings: str = "dotmac.settings.test"


_PEM = "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n-----END PRIVATE KEY-----\n"
MANAGE = ("python", "manage.py")
GATES = (
    Gate("types", ("mypy", ".")),
    Gate("format", ("black", "--check", "--quiet", ".", "--line-length", "88")),
    Gate("lint", ("ruff", "check", ".")),
    Gate("security", ("bandit", "-q", "-r", ".", "-f", "json")),
    Gate("imports", ("lint-imports", "--no-cache")),
    Gate("file lengths", ("python", "tools/gates.py", "--lengths")),
    Gate("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run")),
    Gate(
        "deployment",
        (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
        "dotmac.settings.production",
    ),
    Gate("API description", ("python", "tools/gates.py", "--openapi")),
)


def main(words: list[str]) -> int:
    """Run the gates, print the output of those that are shut."""
    if words == ["--lengths"]:
        return _lengths()
    if words == ["--openapi"]:
        return _openapi()
    chosen = [gate for gate in GATES if not words or gate.name in words]
    with _settings() as settings, ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda gate: _run(gate, settings), chosen)
        shut = [
            gate.name for gate, good in zip(chosen, results, strict=True) if not good
        ]
    print(f"Gates shut: {', '.join(shut)}" if shut else "All gates are open.")
    return 1 if shut else 0


@contextmanager
def _settings() -> Iterator[dict[str, str]]:
    """Secrets of the right shape for settings that refuse to start without."""
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "django.key"
        key.touch(mode=0o600)
        key.write_text(os.urandom(48).hex())
        keys = {"encryption.key": f"1:{os.urandom(32).hex()}", "jwt.key": _PEM}
        (Path(folder) / "secrets").mkdir()
        for name, text in {**keys, "audit.key": _PEM}.items():
            file = Path(folder) / "secrets" / name
            file.touch(mode=0o600)
            file.write_text(text)
        gone = {"DATABASE_URL", "REDIS_URL", "DEMO", "DEBUG"}
        kept = {k: v for k, v in os.environ.items() if k not in gone}
        yield {
            **kept,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "SECRET_KEY_PATH": str(key),
            "DOTMAC_DATA": folder,
            "ALLOWED_HOSTS": "isp.example",
            "BASE_URL": "https://isp.example",
        }


def _run(gate: Gate, settings: dict[str, str]) -> bool:
    began = time.monotonic()
    done = subprocess.run(  # nosec B603
        gate.words,
        cwd=ROOT,
        env={**settings, "DJANGO_SETTINGS_MODULE": gate.settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    good = done.returncode == 0
    lines = [f"  {'✓' if good else '✗'} {gate.name} ({time.monotonic() - began:.0f} s)"]
    if not good:
        said = (done.stdout + done.stderr).strip().splitlines()[-SHOWN_LINES:]
        lines += [f"      {line}" for line in said]
    print("\n".join(lines), flush=True)
    return good


def _lengths() -> int:
    """No Python file of ours is longer than LINES_MAX lines, migrations apart."""
    listed = subprocess.run(  # nosec B603 B607
        ["git", "ls-files", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [n for n in listed.stdout.splitlines() if "/migrations/" not in n]
    counts = {n: (ROOT / n).read_bytes().count(b"\n") for n in names}
    long = {name: count for name, count in counts.items() if count > LINES_MAX}
    for name, count in long.items():
        print(f"{name} has {count} lines")
    return 1 if long else 0


def _openapi() -> int:
    """The committed descriptions of the API are what the code says."""
    return max(_described(path, words) for path, words in OPENAPI.items())


def _described(path: str, words: tuple[str, ...]) -> int:
    committed = ROOT / path
    with tempfile.NamedTemporaryFile(suffix=".yaml") as made:
        told = ["--validate", "--fail-on-warn", "--file", made.name, *words]
        done = subprocess.run(  # nosec B603
            [sys.executable, "manage.py", "spectacular", *told], cwd=ROOT, check=False
        )
        if done.returncode:
            return done.returncode
        said = Path(made.name).read_text()
    if committed.exists() and committed.read_text() == said:
        return 0
    if "CI" not in os.environ:
        committed.write_text(said)
    print(
        f"{path} is not what the code says. Outside CI it was just rewritten: look "
        "at the difference and commit it."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
