"""Rate profiles."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.network.enums import OnLimit
from apps.network.errors import NameTaken
from apps.network.events import RateProfileCreated
from apps.network.models import RateProfile
from apps.network.operations.checks import in_range, named, one_of
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput

# 2^31 kbit/s is two terabits: more than a RADIUS integer of bit/s can say anyway.
RATE_KBPS_MAX = 2_000_000_000


@transaction.atomic
def create_rate_profile(
    *, name: str, down_kbps: int, up_kbps: int, burst_down_kbps: int = 0,
    burst_up_kbps: int = 0, burst_threshold_down_kbps: int = 0,
    burst_threshold_up_kbps: int = 0, burst_s: int = 0, throttled_down_kbps: int = 512,
    throttled_up_kbps: int = 512, sessions_max: int = 1, interim_s: int = 300,
    on_limit: str = OnLimit.REFUSE, actor: Actor, now: datetime,
) -> RateProfile:  # fmt: skip
    """A speed for accounts. Rates are positive; a burst is faster than the rate.

    `on_limit` says what becomes of a login beyond `sessions_max`: refused, or let in
    and the oldest session disconnected.
    """
    named(name, maximum=100)
    rates = {
        "down_kbps": down_kbps, "up_kbps": up_kbps,
        "throttled_down_kbps": throttled_down_kbps,
        "throttled_up_kbps": throttled_up_kbps,
    }  # fmt: skip
    bursts = {
        "burst_down_kbps": burst_down_kbps, "burst_up_kbps": burst_up_kbps,
        "burst_threshold_down_kbps": burst_threshold_down_kbps,
        "burst_threshold_up_kbps": burst_threshold_up_kbps,
    }  # fmt: skip
    for field, value in rates.items():
        in_range(field, value, 1, RATE_KBPS_MAX)
    for field, value in bursts.items():
        in_range(field, value, 0, RATE_KBPS_MAX)
    in_range("burst_s", burst_s, 0, 3600)
    in_range("sessions_max", sessions_max, 0, 32767)
    in_range("interim_s", interim_s, 60, 86400)
    one_of("on_limit", on_limit, OnLimit.values)
    _check_burst(rates, bursts, burst_s)

    with refusing(network_rateprofile_name_key=lambda: NameTaken(field="name")):
        profile = RateProfile.objects.create(
            name=name, burst_s=burst_s, sessions_max=sessions_max, interim_s=interim_s,
            on_limit=on_limit, **rates, **bursts,
        )  # fmt: skip
    ops.emit(
        RateProfileCreated(occurred_at=now, record_id=profile.pk, label=name),
        actor=actor,
        changes={**rates, **bursts, "burst_s": burst_s, "on_limit": on_limit},
    )
    return profile


def _check_burst(rates: dict[str, int], bursts: dict[str, int], burst_s: int) -> None:
    if not bursts["burst_down_kbps"] and not bursts["burst_up_kbps"]:
        return
    for way in ("down", "up"):
        if bursts[f"burst_{way}_kbps"] < rates[f"{way}_kbps"]:
            raise InvalidInput(
                "A burst is at least as fast as the rate.", field=f"burst_{way}_kbps"
            )
    if burst_s == 0:
        raise InvalidInput("Say how long a burst lasts.", field="burst_s")
