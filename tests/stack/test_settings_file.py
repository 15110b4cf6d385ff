"""Every setting is documented, and every documented setting exists."""

import re
from pathlib import Path

import pytest

from dotmac.devtools.context import documented_settings

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parent.parent.parent
OF_START_PY = {"DOTMAC_VENV"}
OF_THE_SPECIFICATION = {
    *("SECURITY_ENABLED", "ENCRYPTION_KEY_PATH", "DATABASE_URL", "REDIS_URL"),
    *("GATEWAY_MODE", "RATE_LIMIT_ENABLED", "UPSTREAM_SERVICES", "ENVIRONMENT"),
    *("DEBUG", "LOG_LEVEL"),
}


def test_the_template_lists_exactly_the_settings_that_are_read():
    text = "".join(path.read_text() for path in (ROOT / "dotmac/settings").glob("*.py"))
    read = re.findall(
        r"env\.(?:text|flag|number|networks|path|secret_file)\(\s*\"(\w+)\"", text
    )
    for name in re.findall(r"env\.address\(\s*\"(\w+)\"", text):
        read += [name, f"{name}_PATH"]
    assert set(read) | OF_START_PY == documented_settings()


def test_every_setting_of_the_specification_is_there():
    assert documented_settings() >= OF_THE_SPECIFICATION


def test_the_template_sets_nothing():
    lines = (ROOT / ".env.template").read_text().splitlines()
    assert not [line for line in lines if line and not line.startswith("#")]
