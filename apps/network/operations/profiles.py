"""Rate profiles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.network.enums import OnLimit
from apps.network.errors import NameTaken
from apps.network.events import RateProfileChanged, RateProfileCreated
from apps.network.models import RateProfile, SessionLive
from apps.network.operations.checks import in_range, named, one_of
from apps.network.operations.disconnects import queue_coas
from apps.ops import operations as ops
from dotmac.core.actors import Actor, system_actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput

# 2^31 kbit/s is two terabits: more than a RADIUS integer of bit/s can say anyway.
RATE_KBPS_MAX = 2_000_000_000
TELL_MAX = 500


_RATES = ("down_kbps", "up_kbps", "throttled_down_kbps", "throttled_up_kbps")
_BURSTS = (
    "burst_down_kbps", "burst_up_kbps", "burst_threshold_down_kbps",
    "burst_threshold_up_kbps",
)  # fmt: skip
_BOUNDS = {
    **dict.fromkeys(_RATES, (1, RATE_KBPS_MAX)),
    **dict.fromkeys(_BURSTS, (0, RATE_KBPS_MAX)),
    "burst_s": (0, 3600), "sessions_max": (0, 32767), "interim_s": (60, 86400),
    "priority": (0, 8), "idle_s": (0, 86400 * 31),
    "session_mb": (0, 2_000_000_000),
}  # fmt: skip
_POLICIES = ("policy", "throttled_policy")
# What a CoA carries: another value of these reaches running sessions.
_SPOKEN = {*_RATES, *_BURSTS, *_POLICIES, "burst_s", "priority"}


@transaction.atomic
def create_rate_profile(
    *, name: str, down_kbps: int, up_kbps: int, burst_down_kbps: int = 0,
    burst_up_kbps: int = 0, burst_threshold_down_kbps: int = 0,
    burst_threshold_up_kbps: int = 0, burst_s: int = 0, throttled_down_kbps: int = 512,
    throttled_up_kbps: int = 512, sessions_max: int = 1, interim_s: int = 300,
    on_limit: str = OnLimit.REFUSE, priority: int = 0, idle_s: int = 0,
    session_mb: int = 0, policy: str = "", throttled_policy: str = "", actor: Actor, now: datetime,
) -> RateProfile:  # fmt: skip
    """A speed for accounts. Rates are positive; a burst is faster than the rate.

    `on_limit` says what becomes of a login beyond `sessions_max`: refused, or let in
    and the oldest session disconnected. `session_mb` and `idle_s` end a session by the
    NAS itself, the first where its vendor's map has a word for it.
    """
    profile = RateProfile(
        name=name, down_kbps=down_kbps, up_kbps=up_kbps,
        burst_down_kbps=burst_down_kbps, burst_up_kbps=burst_up_kbps,
        burst_threshold_down_kbps=burst_threshold_down_kbps,
        burst_threshold_up_kbps=burst_threshold_up_kbps, burst_s=burst_s,
        throttled_down_kbps=throttled_down_kbps, throttled_up_kbps=throttled_up_kbps,
        sessions_max=sessions_max, interim_s=interim_s, on_limit=on_limit,
        priority=priority, idle_s=idle_s, session_mb=session_mb, policy=policy,
        throttled_policy=throttled_policy,
    )  # fmt: skip
    _check(profile)
    with refusing(network_rateprofile_name_key=lambda: NameTaken(field="name")):
        profile.save(force_insert=True)
    ops.emit(
        RateProfileCreated(occurred_at=now, record_id=profile.pk, label=name),
        actor=actor,
        changes={
            field: getattr(profile, field)
            for field in (*_RATES, *_BURSTS, "burst_s", "on_limit")
        },
    )
    return profile


@transaction.atomic
def change_rate_profile(
    *, profile_id: int, changes: dict[str, Any], actor: Actor, now: datetime
) -> RateProfile:
    """Change the named fields; the next login of every account has them.

    Another speed reaches the sessions that run as well: CoAs of the first TELL_MAX
    are queued here, of the others by `tell_profiles`, which takes up where it was
    killed. Fields: those of create_rate_profile. Nothing different, nothing changed.
    """
    known = {"name", "on_limit", *_BOUNDS, *_POLICIES}
    if unknown := changes.keys() - known:
        raise InvalidInput("This cannot be changed.", field=min(unknown))
    profile = RateProfile.objects.select_for_update(no_key=True).get(pk=profile_id)
    told = {
        field: [getattr(profile, field), value]
        for field, value in changes.items()
        if getattr(profile, field) != value
    }
    if not told:
        return profile
    for field in told:
        setattr(profile, field, changes[field])
    _check(profile)
    written = list(told)
    if told.keys() & _SPOKEN:
        profile.told_session = 0
        written.append("told_session")
    with refusing(network_rateprofile_name_key=lambda: NameTaken(field="name")):
        profile.store(*written, now=now)
    if profile.told_session is not None:
        _tell_some(profile, actor=actor, now=now)
    ops.emit(
        RateProfileChanged(occurred_at=now, record_id=profile.pk, label=profile.name),
        actor=actor,
        changes=told,
    )
    return profile


@transaction.atomic
def tell_profiles(*, now: datetime) -> int:
    """Queue the CoAs of one more chunk of sessions whose speed has changed.

    The chunk and how far it went are committed together: killed anywhere, the next
    run goes on from there. Returns how many sessions the chunk had.
    """
    due = RateProfile.objects.filter(told_session__isnull=False).order_by("pk")
    profile = due.select_for_update(skip_locked=True, no_key=True).first()
    if profile is None:
        return 0
    return _tell_some(profile, actor=system_actor("network"), now=now)


def _tell_some(profile: RateProfile, *, actor: Actor, now: datetime) -> int:
    """The sessions after the last one told; those that begin later know the speed."""
    sessions = list(
        SessionLive.objects.filter(
            account__profile=profile, stopped_at=None, pk__gt=profile.told_session
        )
        .order_by("pk")
        .values_list("pk", flat=True)[:TELL_MAX]
    )
    queue_coas(sessions, actor=actor, now=now, reason="speed changed")
    profile.told_session = sessions[-1] if len(sessions) == TELL_MAX else None
    RateProfile.objects.filter(pk=profile.pk).update(told_session=profile.told_session)
    return len(sessions)


def _check(profile: RateProfile) -> None:
    named(profile.name, maximum=100)
    for field, (low, high) in _BOUNDS.items():
        in_range(field, getattr(profile, field), low, high)
    one_of("on_limit", profile.on_limit, OnLimit.values)
    for field in _POLICIES:
        if getattr(profile, field):
            named(getattr(profile, field), maximum=64, field=field)
    rates = {field: getattr(profile, field) for field in _RATES}
    bursts = {field: getattr(profile, field) for field in _BURSTS}
    _check_burst(rates, bursts, profile.burst_s)


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
