from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.ops.models import AuditEntry, Job, Message
from apps.ops.selectors import ChainState


class JobSerializer(serializers.ModelSerializer[Job]):
    progress = serializers.IntegerField(source="percent", help_text="Whole percent.")
    subject = serializers.CharField(source="subject_key")
    result = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id", "kind", "state", "progress", "done", "total", "message", "error",
            "result", "subject", "customer_id", "created_at", "started_at",
            "finished_at",
        )  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_result(self, job: Job) -> object:
        return job.result


class MessageSerializer(serializers.ModelSerializer[Message]):
    class Meta:
        model = Message
        fields = (
            "id", "channel", "recipient", "subject_line", "body", "purpose", "state",
            "attempts", "error", "customer_id", "created_at", "sent_at",
        )  # fmt: skip


class ChainStateSerializer(serializers.Serializer[ChainState]):
    state = serializers.ChoiceField(
        source="word",
        choices=("pending", "chained", "verified", "broken"),
        help_text="Broken: the entry is not what was recorded.",
    )
    stream = serializers.CharField(help_text="The month of the chain.")
    sequence = serializers.IntegerField()
    hash = serializers.CharField(help_text="SHA-256, in hex.")
    chained_at = serializers.DateTimeField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    subject = serializers.CharField(source="subject_key")
    chain = ChainStateSerializer()
    changes = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = (
            "id", "occurred_at", "recorded_at", "action", "actor_kind", "actor_id",
            "actor_label", "subject", "subject_label", "customer_id", "changes",
            "request_id", "address", "chain",
        )  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_changes(self, entry: AuditEntry) -> object:
        return entry.changes
