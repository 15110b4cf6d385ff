"""What stands in the way of a start, as a sentence that says what to do."""

from __future__ import annotations

import errno
from pathlib import Path


class Refused(Exception):
    """The text is one sentence for the person at the keyboard."""


def explain_os_error(error: OSError, place: Path) -> str:
    """One sentence for what the operating system refused."""
    where = error.filename or place
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk that holds {where} is full: make room and start again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"{where} may not be written by this user: run as its owner."
    return f"{error.strerror or error}: {where}."
