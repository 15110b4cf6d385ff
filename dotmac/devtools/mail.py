"""A mail server that delivers nothing: it keeps what it gets as files."""

from __future__ import annotations

import logging
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT_MAX = 2_000
_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]")


class MailFolder:
    """aiosmtpd's handler: one .eml file a message, the oldest make room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        person = _UNSAFE.sub("_", (envelope.rcpt_tos or ["nobody"])[0])[:80]
        content: Any = envelope.content
        file = self.folder / f"{stamp}-{person}-{secrets.token_hex(3)}.eml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        for old in sorted(self.folder.glob("*.eml"))[:-KEPT_MAX]:
            old.unlink(missing_ok=True)
        return "250 Kept"


def serve(folder: Path, *, host: str, port: int) -> Controller:
    """Start the server in a thread of its own; `stop()` ends it."""
    # aiosmtpd tells every line of every conversation.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    controller = Controller(MailFolder(folder), hostname=host, port=port)
    controller.start()
    return controller
