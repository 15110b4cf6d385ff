"""Vendored files are those that VERSIONS.json names, byte for byte."""

import hashlib
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "dotmac" / "static" / "vendor"
LISTED = json.loads((VENDOR / "VERSIONS.json").read_text())["files"]


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["path"])
def test_a_vendored_file_is_what_was_taken(entry):
    body = (ROOT / entry["path"]).read_bytes()
    assert hashlib.sha256(body).hexdigest() == entry["sha256"]
    assert entry["licence"] in {"MIT", "0BSD"}
    assert b"sourceMappingURL" not in body


def test_nothing_lies_there_unlisted():
    listed = {ROOT / entry["path"] for entry in LISTED}
    lying = {path for path in VENDOR.iterdir() if path.name != "VERSIONS.json"}
    assert lying <= listed


def test_every_state_has_an_icon():
    from dotmac.core.console.render import icons
    from dotmac.core.console.states import _WORDS

    assert {state.icon for state in _WORDS.values()} <= set(icons())
