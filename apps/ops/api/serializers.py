from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.ops.models import AuditEntry, Job, Message


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


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    subject = serializers.CharField(source="subject_key")
    changes = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = (
            "id", "occurred_at", "recorded_at", "action", "actor_kind", "actor_id",
            "actor_label", "subject", "subject_label", "customer_id", "changes",
            "request_id", "address",
        )  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_changes(self, entry: AuditEntry) -> object:
        return entry.changes
