"""How much a household moves at a given hour: quiet nights, busy evenings."""

from __future__ import annotations

import math
import random
from datetime import datetime

# Share of the plan's speed that an average line uses, by hour of the day.
_SHARE_BY_HOUR = (
    0.020, 0.012, 0.008, 0.006, 0.006, 0.010, 0.020, 0.030,
    0.035, 0.040, 0.042, 0.045, 0.050, 0.048, 0.046, 0.050,
    0.056, 0.066, 0.082, 0.098, 0.105, 0.095, 0.070, 0.040,
)  # fmt: skip
UPLOAD_SHARE = 0.12


def share_at(local: datetime) -> float:
    """The average share of the line in use, changing smoothly within the hour."""
    before = _SHARE_BY_HOUR[local.hour]
    after = _SHARE_BY_HOUR[(local.hour + 1) % 24]
    part = (local.minute * 60 + local.second) / 3600
    smooth = (1 - math.cos(math.pi * part)) / 2
    return before + (after - before) * smooth


def octets(
    *,
    down_kbps: int,
    seconds: float,
    local: datetime,
    taste: float,
    dice: random.Random,
) -> tuple[int, int]:
    """Octets (up, down) moved in so many seconds; never above the line's speed."""
    burst = dice.uniform(0.2, 1.8) * taste
    share = min(share_at(local) * burst, 0.95)
    down = int(down_kbps * 125 * share * seconds)
    return int(down * UPLOAD_SHARE * dice.uniform(0.6, 1.4)), down
