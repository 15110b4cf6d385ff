"""Where the program lies, and where it keeps what it writes."""

from __future__ import annotations

from pathlib import Path

from dotmac.settings import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
STATE_DIR = env.path("DOTMAC_DATA", str(BASE_DIR / ".dotmac"))
