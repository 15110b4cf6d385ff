"""Bodies of the API's writes; the operations judge the values."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.network.enums import (
    HandleKind,
    HoldEffect,
    HoldReason,
    OnLimit,
    PoolMode,
    PoolUse,
    PrefixKind,
    ReplyMoment,
)


class NewSite(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    city = serializers.CharField(max_length=100, required=False, allow_blank=True)
    latitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, required=False, allow_null=True
    )
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, required=False, allow_null=True
    )


class NewNas(serializers.Serializer[Any]):
    """Without a secret, a random one is made."""

    name = serializers.CharField(max_length=100)
    address = serializers.CharField(
        max_length=39, help_text="The source address of its packets."
    )
    secret = serializers.CharField(
        max_length=128, required=False, trim_whitespace=False, write_only=True
    )
    vendor = serializers.CharField(
        max_length=32,
        required=False,
        help_text="The name of a vendor's map, such as mikrotik or generic.",
    )
    coa_port = serializers.IntegerField(required=False)
    site = serializers.IntegerField(
        required=False, allow_null=True, source="site_id", min_value=1
    )
    walled_pool = serializers.CharField(max_length=64, required=False)
    redirect_url = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Where the walled garden sends a browser.",
    )
    require_message_authenticator = serializers.BooleanField(required=False)
    ipoe = serializers.BooleanField(
        required=False, help_text="Known devices and lines need no password there."
    )


class NasChanges(NewNas):
    """What is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    address = serializers.CharField(max_length=39, required=False)
    enabled = serializers.BooleanField(required=False)
    counts_32_bits = serializers.BooleanField(
        required=False,
        help_text="It tells no gigawords: a counter that falls while the session's"
        " time grows has overflowed.",
    )


class SecretSwitch(serializers.Serializer[Any]):
    """When the proposed secret begins to count, and whether silence takes it back."""

    switch_at = serializers.DateTimeField()
    roll_back_after_min = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="So many minutes later, unless a packet of the NAS proved the secret.",
    )


class NewVrf(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)


class NewPool(serializers.Serializer[Any]):
    """Without a VRF, the pool is in the default one."""

    name = serializers.CharField(max_length=64)
    vrf = serializers.IntegerField(required=False, source="vrf_id", min_value=1)
    mode = serializers.ChoiceField(choices=PoolMode.choices, required=False)
    framed_pool = serializers.CharField(max_length=64, required=False, allow_blank=True)
    quarantine_s = serializers.IntegerField(required=False)
    delegated_length = serializers.IntegerField(required=False, allow_null=True)
    use = serializers.ChoiceField(
        choices=PoolUse.choices,
        required=False,
        help_text="By default address, with a length delegated.",
    )
    with_v6 = serializers.IntegerField(
        required=False,
        allow_null=True,
        source="with_v6_id",
        min_value=1,
        help_text="The pool of IPv6 that goes with it.",
    )


class NewPrefix(serializers.Serializer[Any]):
    """A network gives out addresses, a container groups networks."""

    cidr = serializers.CharField(max_length=43)
    kind = serializers.ChoiceField(choices=PrefixKind.choices, required=False)
    vrf = serializers.IntegerField(required=False, source="vrf_id", min_value=1)
    pool = serializers.IntegerField(
        required=False, allow_null=True, source="pool_id", min_value=1
    )
    site = serializers.IntegerField(
        required=False, allow_null=True, source="site_id", min_value=1
    )
    gateway = serializers.CharField(
        max_length=39,
        required=False,
        allow_null=True,
        help_text="By default the first host.",
    )
    description = serializers.CharField(
        max_length=200, required=False, allow_blank=True
    )


class NewRateProfile(serializers.Serializer[Any]):
    """Rates in kbit/s; a burst of 0 means none, sessions_max 0 without limit."""

    name = serializers.CharField(max_length=100)
    down_kbps = serializers.IntegerField()
    up_kbps = serializers.IntegerField()
    burst_down_kbps = serializers.IntegerField(required=False)
    burst_up_kbps = serializers.IntegerField(required=False)
    burst_threshold_down_kbps = serializers.IntegerField(required=False)
    burst_threshold_up_kbps = serializers.IntegerField(required=False)
    burst_s = serializers.IntegerField(required=False)
    throttled_down_kbps = serializers.IntegerField(required=False)
    throttled_up_kbps = serializers.IntegerField(required=False)
    sessions_max = serializers.IntegerField(required=False)
    interim_s = serializers.IntegerField(required=False)
    on_limit = serializers.ChoiceField(choices=OnLimit.choices, required=False)
    priority = serializers.IntegerField(
        required=False, help_text="1 goes first, 8 last; 0 for none."
    )
    idle_s = serializers.IntegerField(
        required=False, help_text="Ends a session that is idle so long; 0 never."
    )
    session_mb = serializers.IntegerField(
        required=False,
        help_text="What passes in one session at most, in megabytes; 0 without limit.",
    )
    policy = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="Its name on NASes where speeds have names.",
    )
    throttled_policy = serializers.CharField(
        max_length=64, required=False, allow_blank=True
    )


class RateProfileChanges(NewRateProfile):
    """What is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    down_kbps = serializers.IntegerField(required=False)
    up_kbps = serializers.IntegerField(required=False)


class NewNasAttribute(serializers.Serializer[Any]):
    """An attribute besides the vendor's map; `:=` replaces what the map says."""

    attribute = serializers.CharField(
        max_length=100, help_text="As FreeRADIUS's dictionaries call it."
    )
    value = serializers.CharField(max_length=253, trim_whitespace=False)
    op = serializers.ChoiceField(choices=(":=", "+="), required=False)
    moment = serializers.ChoiceField(choices=ReplyMoment.choices, required=False)


class AddressWanted(serializers.Serializer[Any]):
    """Which account gets the first free address."""

    account = serializers.IntegerField(min_value=1)


class AddressChosen(AddressWanted):
    """Which account gets which address."""

    address = serializers.CharField(
        max_length=43, help_text="Of a pool of blocks the block, e.g. 2001:db8:7::/56."
    )


class AccountChanges(serializers.Serializer[Any]):
    """What is left out stays."""

    profile = serializers.IntegerField(required=False, source="profile_id", min_value=1)
    pool = serializers.IntegerField(
        required=False, allow_null=True, source="pool_id", min_value=1
    )
    mac_lock = serializers.CharField(
        max_length=64, required=False, allow_blank=True, help_text="Empty for none."
    )
    sessions_max = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="Null: as the profile says; 0: without limit.",
    )
    password = serializers.CharField(
        max_length=128, required=False, trim_whitespace=False, write_only=True
    )


class VlanWanted(serializers.Serializer[Any]):
    """From which group the account gets its VLAN id."""

    group = serializers.IntegerField(source="group_id", min_value=1)


class NewVlanGroup(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    vid_min = serializers.IntegerField(required=False)
    vid_max = serializers.IntegerField(required=False)
    outer_vid = serializers.IntegerField(required=False, allow_null=True)
    site = serializers.IntegerField(
        required=False, allow_null=True, source="site_id", min_value=1
    )


class NewHold(serializers.Serializer[Any]):
    """One open hold for each reason; the strictest effect decides."""

    reason = serializers.ChoiceField(choices=HoldReason.choices)
    effect = serializers.ChoiceField(choices=HoldEffect.choices)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class NewHandle(serializers.Serializer[Any]):
    """A device or a line that the account is known by, on a NAS that allows it."""

    kind = serializers.ChoiceField(choices=HandleKind.choices)
    value = serializers.CharField(
        max_length=512, help_text="Octets that are no text in hex: 0x0004006401."
    )
