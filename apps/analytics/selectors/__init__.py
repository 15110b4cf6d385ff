"""What several apps together know: figures, and the usage of a customer."""

from apps.analytics.selectors.figures import (
    ONLINE_SESSIONS,
    RECEIVABLES_BY_AGE,
    Metric,
    metrics,
    online_sessions,
    receivables_by_age,
)
from apps.analytics.selectors.usage import (
    USAGE_RANGES,
    Usage,
    WindowTotal,
    account_ids_of,
    chosen_range,
    usage_chart,
    usage_of,
    usage_windows_of,
)

__all__ = [
    "ONLINE_SESSIONS",
    "RECEIVABLES_BY_AGE",
    "USAGE_RANGES",
    "Metric",
    "Usage",
    "WindowTotal",
    "account_ids_of",
    "chosen_range",
    "metrics",
    "online_sessions",
    "receivables_by_age",
    "usage_chart",
    "usage_of",
    "usage_windows_of",
]
