"""docs/pictures shows every screen that issue 2 names, and stays small."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES = ROOT / "docs" / "pictures"
BYTES_MAX = 64_000
CONSOLE = (
    "sign-in", "home", "customers", "customers-detail", "services", "sessions",
    "sessions-detail", "invoices", "payments", "nas", "prefixes", "prefixes-detail",
    "jobs", "audit", "integrity", "messages", "plans", "orders", "pools",
    "billing-runs", "ledger", "staff",
)  # fmt: skip
PORTAL = ("sign-in", "home", "bills", "bill", "pay", "usage")


def linked(page):
    """The pictures that a page shows, wherever it links from."""
    found = re.findall(r"!\[[^\]]*\]\(([^)]+\.png)\)", page.read_text())
    return {(page.parent / path).resolve() for path in found}


def test_each_screen_has_its_picture():
    wanted = {f"console-{name}-1440.png" for name in CONSOLE}
    wanted |= {f"portal-{name}-390.png" for name in PORTAL}
    wanted.add("gateway-hosted-page-390.png")
    there = {path.name for path in PICTURES.glob("*.png")}
    assert wanted - there == set()


def test_pages_show_what_is_there_and_nothing_else():
    there = set(PICTURES.glob("*.png"))
    assert linked(PICTURES / "README.md") == there
    assert linked(ROOT / "README.md") <= there
    assert "docs/pictures/README.md" in (ROOT / "README.md").read_text()


def test_pictures_are_small():
    assert {p.name for p in PICTURES.glob("*.png") if p.stat().st_size > BYTES_MAX} == (
        set()
    )
