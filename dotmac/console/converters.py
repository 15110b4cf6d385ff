"""Path values."""

from __future__ import annotations

from django.urls.converters import IntConverter


class Key(IntConverter):
    """A primary key that fits into a bigint; anything longer is a 404."""

    regex = "[0-9]{1,18}"
