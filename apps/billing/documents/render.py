"""PDF/A-3b by typst: no network, our own fonts, the same bytes for the same facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "invoice.typ"
_FONTS = _HERE / "fonts"


def render_pdf(data: Mapping[str, Any]) -> bytes:
    """Draw the document that `document_data` described.

    typst is imported here and not above: its threads do not survive a fork, and
    servers fork their workers after the code is loaded.
    """
    import typst  # noqa: PLC0415

    year, month, day = data["issued"]
    issued = datetime(year, month, day, tzinfo=UTC)
    pdf = typst.Compiler(
        str(_TEMPLATE),
        root=str(_HERE),
        font_paths=[str(_FONTS)],
        ignore_system_fonts=True,
    ).compile(
        format="pdf",
        pdf_standards=["a-3b"],
        timestamp=issued,
        sys_inputs={"data": json.dumps(data)},
    )
    assert isinstance(pdf, bytes)
    return pdf
