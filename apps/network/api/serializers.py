"""What the API shows of network records. Secrets are written, never read."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.network.enums import (
    AccessState,
    AccountKind,
    CoaKind,
    CoaState,
    HoldEffect,
    HoldReason,
)
from apps.network.models import (
    AccessHandle,
    AddressAssignment,
    AddressPool,
    CoaRequest,
    Nas,
    NasAttribute,
    NasSecret,
    Prefix,
    RateProfile,
    Site,
    Vlan,
    VlanGroup,
    Vrf,
)


class SiteSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ("id", "name", "city", "latitude", "longitude", "created_at")


class NasSerializer(serializers.ModelSerializer[Nas]):
    address = serializers.CharField(read_only=True)
    site = serializers.IntegerField(source="site_id", allow_null=True, read_only=True)

    class Meta:
        model = Nas
        fields = (
            "id", "name", "address", "vendor", "coa_port", "site", "walled_pool",
            "redirect_url", "require_message_authenticator", "enabled", "ipoe",
            "counts_32_bits", "rebooted_at", "created_at", "updated_at",
        )  # fmt: skip


class NasSecretSerializer(serializers.ModelSerializer[NasSecret]):
    """How far the change of a secret has come; never the secret itself."""

    class Meta:
        model = NasSecret
        fields = (
            "version", "state", "switch_at", "roll_back_at", "confirmed_at", "ended_at",
            "created_at", "updated_at",
        )  # fmt: skip


class NewNasSecretAnswer(NasSecretSerializer):
    """A secret just proposed: the only answer that ever shows it."""

    secret = serializers.SerializerMethodField(help_text="Shown once.")

    class Meta:
        model = NasSecret
        fields = (*NasSecretSerializer.Meta.fields, "secret")

    def get_secret(self, row: NasSecret) -> str:
        return str(self.context["clear_secret"])


class NasAttributeSerializer(serializers.ModelSerializer[NasAttribute]):
    class Meta:
        model = NasAttribute
        fields = ("id", "moment", "attribute", "op", "value", "created_at")


class NewNasAnswer(NasSerializer):
    """A NAS just made: the only answer that ever shows its secret."""

    secret = serializers.SerializerMethodField(help_text="Shown once.")

    class Meta:
        model = Nas
        fields = (*NasSerializer.Meta.fields, "secret")

    def get_secret(self, nas: Nas) -> str:
        return str(self.context["clear_secret"])


class VrfSerializer(serializers.ModelSerializer[Vrf]):
    class Meta:
        model = Vrf
        fields = ("id", "name", "created_at")


class PoolSerializer(serializers.ModelSerializer[AddressPool]):
    vrf = serializers.IntegerField(source="vrf_id", read_only=True)
    with_v6 = serializers.IntegerField(
        source="with_v6_id", allow_null=True, read_only=True
    )

    class Meta:
        model = AddressPool
        fields = (
            "id", "name", "vrf", "mode", "framed_pool", "quarantine_s",
            "delegated_length", "use", "with_v6", "created_at",
        )  # fmt: skip


class PrefixUsageSerializer(serializers.Serializer[Any]):
    held = serializers.IntegerField(help_text="Addresses or blocks; networks inside.")
    resting = serializers.IntegerField(help_text="Released and in quarantine.")
    capacity = serializers.DecimalField(
        max_digits=40, decimal_places=0, help_text="How many it can give out."
    )
    percent = serializers.DecimalField(max_digits=4, decimal_places=1)


class PrefixSerializer(serializers.ModelSerializer[Prefix]):
    cidr = serializers.CharField(read_only=True)
    gateway = serializers.CharField(allow_null=True, read_only=True)
    vrf = serializers.IntegerField(source="vrf_id", read_only=True)
    pool = serializers.IntegerField(source="pool_id", allow_null=True, read_only=True)
    site = serializers.IntegerField(source="site_id", allow_null=True, read_only=True)
    usage = PrefixUsageSerializer(read_only=True)

    class Meta:
        model = Prefix
        fields = (
            "id", "cidr", "kind", "vrf", "pool", "site", "gateway", "description",
            "usage", "created_at",
        )  # fmt: skip


class AssignmentSerializer(serializers.ModelSerializer[AddressAssignment]):
    address = serializers.CharField(source="address_text", read_only=True)
    vrf = serializers.IntegerField(source="vrf_id", read_only=True)
    pool = serializers.IntegerField(source="pool_id", read_only=True)
    prefix = serializers.IntegerField(source="prefix_id", read_only=True)
    account = serializers.IntegerField(source="account_id", read_only=True)
    login = serializers.CharField(source="account.login", read_only=True)

    class Meta:
        model = AddressAssignment
        fields = (
            "id", "address", "account", "login", "prefix", "pool", "vrf",
            "assigned_at", "released_at", "quarantined_until",
        )  # fmt: skip


class RateProfileSerializer(serializers.ModelSerializer[RateProfile]):
    class Meta:
        model = RateProfile
        fields = (
            "id", "name", "down_kbps", "up_kbps", "burst_down_kbps", "burst_up_kbps",
            "burst_threshold_down_kbps", "burst_threshold_up_kbps", "burst_s",
            "throttled_down_kbps", "throttled_up_kbps", "sessions_max", "interim_s",
            "on_limit", "priority", "idle_s", "session_mb", "policy", "throttled_policy",
            "created_at", "updated_at",
        )  # fmt: skip


class VlanGroupSerializer(serializers.ModelSerializer[VlanGroup]):
    site = serializers.IntegerField(source="site_id", allow_null=True, read_only=True)

    class Meta:
        model = VlanGroup
        fields = ("id", "name", "vid_min", "vid_max", "outer_vid", "site", "created_at")


class VlanSerializer(serializers.ModelSerializer[Vlan]):
    group = serializers.IntegerField(source="group_id", read_only=True)

    class Meta:
        model = Vlan
        fields = ("id", "group", "vid", "name", "created_at")


class HoldSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=HoldReason.choices)
    effect = serializers.ChoiceField(choices=HoldEffect.choices)
    note = serializers.CharField()
    placed_at = serializers.DateTimeField()


class HandleSerializer(serializers.ModelSerializer[AccessHandle]):
    class Meta:
        model = AccessHandle
        fields = ("id", "kind", "value", "created_at")


class AccountSerializer(serializers.Serializer[Any]):
    """An access account with everything that explains its state."""

    id = serializers.IntegerField(source="account_id")
    login = serializers.CharField()
    kind = serializers.ChoiceField(choices=AccountKind.choices)
    state = serializers.ChoiceField(choices=AccessState.choices)
    online = serializers.BooleanField()
    holds = HoldSerializer(many=True)
    addresses = serializers.ListField(child=serializers.CharField())
    profile = serializers.IntegerField(source="profile_id")
    profile_name = serializers.CharField()
    pool = serializers.IntegerField(source="pool_id", allow_null=True)
    vid = serializers.IntegerField(allow_null=True)
    mac_lock = serializers.CharField()
    sessions_max = serializers.IntegerField(
        allow_null=True, help_text="Null: as the profile says; 0: without limit."
    )
    expires_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    last_seen_at = serializers.DateTimeField(allow_null=True)


class CoaRequestSerializer(serializers.ModelSerializer[CoaRequest]):
    nas = serializers.IntegerField(source="nas_id", read_only=True)
    account = serializers.IntegerField(
        source="account_id", allow_null=True, read_only=True
    )
    kind = serializers.ChoiceField(choices=CoaKind.choices, read_only=True)
    state = serializers.ChoiceField(choices=CoaState.choices, read_only=True)

    class Meta:
        model = CoaRequest
        fields = (
            "id", "kind", "state", "reason", "login", "account", "nas",
            "acct_session_id", "attempts", "not_before", "sent_at", "answered_at",
            "answer", "created_at",
        )  # fmt: skip
