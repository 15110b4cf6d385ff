from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ops import operations, selectors
from apps.ops.api.serializers import (
    AuditEntrySerializer,
    JobSerializer,
    MessageSerializer,
)
from apps.ops.enums import ActorKinds, JobState, MessageState
from apps.ops.models import AuditEntry, Job, Message
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin


class JobViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Long-running work: provisioning, bill runs, imports."""

    queryset = Job.objects.none()
    serializer_class = JobSerializer
    permission_by_action = {
        "list": "ops.view_job",
        "retrieve": "ops.view_job",
        "cancel": "ops.cancel_job",
    }
    filters = {
        "state": filters.exact("state", JobState),
        "kind": filters.exact("kind"),
        "customer": filters.number("customer_id"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Job]:
        return selectors.jobs(actor, permission)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = operations.cancel_job(
            job_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return self.answer(job)


class MessageViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Texts that were sent to people."""

    queryset = Message.objects.none()
    serializer_class = MessageSerializer
    permission_by_action = {"list": "ops.view_message", "retrieve": "ops.view_message"}
    filters = {
        "state": filters.exact("state", MessageState),
        "customer": filters.number("customer_id"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Message]:
        return selectors.messages(actor, permission)


class AuditViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Who did what, when, to which record."""

    queryset = AuditEntry.objects.none()
    serializer_class = AuditEntrySerializer
    permission_by_action = {"list": "ops.view_audit", "retrieve": "ops.view_audit"}
    filters = {
        "action": filters.exact("action"),
        "actor_kind": filters.exact("actor_kind", ActorKinds),
        "actor": filters.number("actor_id"),
        "address": filters.exact("address"),
        "request_id": filters.exact("request_id"),
        "from": filters.day("occurred_at__date__gte"),
        "to": filters.day("occurred_at__date__lte"),
        "customer": filters.number("customer_id"),
        "subject_kind": filters.exact("subject_kind"),
        "subject_id": filters.number("subject_id"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[AuditEntry]:
        return selectors.audit_entries(actor, permission)

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return selectors.with_chain(page) if page is not None else None

    def get_object(self) -> AuditEntry:
        entry: AuditEntry = selectors.with_chain([super().get_object()])[0]
        return entry
