"""A start is refused on a bad secret file, with the reason and without the value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from dotmac.settings import env
from tests.environment import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.security]
STRONG = "kT9-vQ2_xL7mZ4pR8sW1nB6cJ3hF5gD0yUaEiOqXwVtNrMlK"
KEY = "1:" + bytes(range(60, 92)).hex()
PEM = "-----BEGIN PRIVATE KEY-----\n" + STRONG + "\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def folder(tmp_path):
    """The secrets of an installation, all good."""
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    for name, text in {
        "django.key": STRONG + STRONG, "encryption.key": KEY, "jwt.key": PEM,
        "audit.key": PEM,
    }.items():  # fmt: skip
        write(secrets / name, text)
    return tmp_path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.touch(mode=mode)
    path.write_text(text)
    path.chmod(mode)


def begin(folder: Path, settings: str = "production") -> subprocess.CompletedProcess:
    """What every program of DotMac does first: read the settings."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("COV", "PATH"))}
    return subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"],
        env={
            **kept, "DJANGO_SETTINGS_MODULE": f"dotmac.settings.{settings}",
            "DOTMAC_DATA": str(folder), "ALLOWED_HOSTS": "isp.example",
        },
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("settings", ["production", "development"])
def test_good_files_start(folder, settings):
    done = begin(folder, settings)
    assert done.returncode == 0, done.stderr


BAD = [
    ("django.key", None, 0o600, "cannot read"),
    ("django.key", "kT9-vQ2_xL7mZ4", 0o600, "fewer than 50 characters"),
    ("django.key", "changeme-" + STRONG * 2, 0o600, "holds a default"),
    ("django.key", "ab" * 40, 0o600, "holds a default"),
    ("django.key", STRONG * 2, 0o644, "open to others"),
    ("django.key", STRONG * 2, 0o640, "open to others"),
    ("encryption.key", None, 0o600, "cannot read"),
    ("encryption.key", "1:" + "00" * 32, 0o600, "holds a default"),
    ("encryption.key", KEY, 0o604, "open to others"),
    ("jwt.key", "", 0o600, "too short"),
    ("jwt.key", PEM, 0o660, "open to others"),
    ("audit.key", None, 0o600, "cannot read"),
]


@pytest.mark.parametrize(("name", "text", "mode", "reason"), BAD)
def test_a_bad_file_is_refused_without_its_value(folder, name, text, mode, reason):
    path = folder / "secrets" / name
    path.unlink()
    if text is not None:
        write(path, text, mode)

    done = begin(folder)

    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert reason in last
    assert name in last
    assert not text or text not in done.stdout + done.stderr


def test_an_address_comes_from_its_file(tmp_path, monkeypatch):
    url = "postgresql://dotmac_app:word@127.0.0.1/dotmac"
    path = tmp_path / "database-url"
    write(path, url + "\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_PATH", str(path))
    assert env.address("DATABASE_URL", "none") == url

    path.chmod(0o644)
    with pytest.raises(ImproperlyConfigured, match="open to others") as refusal:
        env.address("DATABASE_URL", "none")
    assert "word" not in str(refusal.value)
    monkeypatch.setenv("DATABASE_URL", "postgresql://given/x")
    assert env.address("DATABASE_URL", "none") == "postgresql://given/x"
