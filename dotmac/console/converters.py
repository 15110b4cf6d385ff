"""Path values."""

from __future__ import annotations

from typing import ClassVar

from django.urls.converters import IntConverter


class Key(IntConverter):
    """A primary key that fits into a bigint; anything longer is a 404."""

    regex: ClassVar[str] = "[0-9]{1,18}"
