"""The query parameters `from` and `to`: a span of time that a list is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from dotmac.core.periods import day_start

SPAN_DEFAULT = timedelta(days=30)
SPAN_MAX = timedelta(days=366)
YEARS = range(1970, 3000)
SPAN_PARAMETERS = (
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="Instant or date."),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Excluded."),
)


def span_of(
    request: Request, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Start and end (excluded): thirty days up to now unless told otherwise.

    A date is the start of that day on the zone's clock. Raises ValidationError that
    names the parameter for what is no time, and for more than a year.
    """
    end = _instant(request, "to", zone) or now
    start = _instant(request, "from", zone) or end - SPAN_DEFAULT
    if not start < end <= start + SPAN_MAX:
        raise ValidationError({"from": [_("Before `to`, by a year at most.")]})
    return start, end


def _instant(request: Request, name: str, zone: ZoneInfo) -> datetime | None:
    """An instant, or the start of a local day; None when not given."""
    text = request.query_params.get(name)
    if not text:
        return None
    found: datetime | None
    try:
        if len(text) == len("2026-01-31"):
            found = day_start(date.fromisoformat(text), zone)
        else:
            found = parse_datetime(text)
    except (ValueError, OverflowError):
        found = None
    # Beyond these years a bound plus or minus a window is no instant any more.
    if found is None or found.year not in YEARS:
        raise ValidationError(
            {name: [_("An instant or a date of 1970 to 2999, as in ISO 8601.")]}
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)
