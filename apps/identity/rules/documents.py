"""What a file is, by its bytes, and how it may be called."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import filetype


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file that may be kept; `ending` is how its last bytes look."""

    media_type: str
    extension: str
    ending: re.Pattern[bytes]


# Programs that write PDF add a few bytes behind its end, cameras some zeros.
FORMATS = {
    each.media_type: each
    for each in (
        Format("application/pdf", "pdf", re.compile(rb"%%EOF[\s\x00]{0,1024}\Z")),
        Format("image/jpeg", "jpg", re.compile(rb"\xff\xd9\x00{0,64}\Z")),
        Format("image/png", "png", re.compile(rb"IEND\xae\x42\x60\x82\Z")),
        Format("image/webp", "webp", re.compile(rb"")),
    )
}
ENDINGS_BYTES = 1100
# Kept short enough for a name with its extension in one column.
STEM_CHARACTERS_MAX = 100
_FORBIDDEN = re.compile(r"[^\w .()+,-]+")


def format_of(content: bytes) -> Format | None:
    """The allowed format that the bytes are of, or None.

    The beginning decides, whatever name or type was sent; the ending must fit,
    so that a file with another one appended (a script, an archive) is refused.
    """
    guessed = filetype.guess(content)
    found = FORMATS.get(guessed.mime) if guessed is not None else None
    if found is None or not found.ending.search(content[-ENDINGS_BYTES:]):
        return None
    if found.media_type == "image/webp" and not _webp_is_whole(content):
        return None
    return found


def file_name(said: str, kept: Format) -> str:
    """A harmless name with the extension of what the file is.

    Folders, control characters and what has a meaning in headers or shells are
    taken out.
    """
    last = re.split(r"[/\\]", said)[-1]
    stem = last.rsplit(".", 1)[0] if "." in last else last
    plain = unicodedata.normalize("NFC", stem)
    plain = " ".join(_FORBIDDEN.sub(" ", plain).split()).strip(" .-")
    return f"{plain[:STEM_CHARACTERS_MAX].strip(' .-') or 'document'}.{kept.extension}"


def _webp_is_whole(content: bytes) -> bool:
    """RIFF says how long the file is; odd lengths are padded by one byte."""
    said = int.from_bytes(content[4:8], "little") + 8
    return len(content) - said in {0, 1}
