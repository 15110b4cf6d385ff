"""Bill runs and previews over the API."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing import operations, selectors
from apps.billing.models import BillingRun, ParkedService
from apps.billing.tasks import work_run
from apps.ops import selectors as ops_selectors
from apps.ops.enums import JobState
from dotmac.core.actors import Actor
from dotmac.core.api.fields import MoneyField
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin

PARKED_MAX = 200


class ParkedSerializer(serializers.ModelSerializer[ParkedService]):
    customer = serializers.IntegerField(source="customer_id")
    service = serializers.IntegerField(source="service_id")
    says = serializers.CharField(source="get_reason_display")

    class Meta:
        model = ParkedService
        fields = (
            "customer", "service", "service_reference", "period_start", "reason",
            "says",
        )  # fmt: skip


class RunSerializer(serializers.ModelSerializer[BillingRun]):
    date = serializers.DateField(source="day")
    job = serializers.IntegerField(source="job_id")
    state = serializers.ChoiceField(source="job.state", choices=JobState.choices)
    progress = serializers.IntegerField(source="job.percent")
    result = serializers.SerializerMethodField(
        help_text="Of a finished run: invoices, lines, parked, totals_minor."
    )

    class Meta:
        model = BillingRun
        fields = (
            "id", "date", "job", "state", "progress", "result", "started_at",
            "finished_at",
        )  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_result(self, run: BillingRun) -> object:
        return run.job.result


class RunDetailSerializer(RunSerializer):
    parked = serializers.SerializerMethodField(
        help_text=f"Services left aside and why, at most {PARKED_MAX}."
    )

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "parked")  # type: ignore[assignment]

    @extend_schema_field(ParkedSerializer(many=True))
    def get_parked(self, run: BillingRun) -> object:
        rows = selectors.parked_services_of(run.pk)[:PARKED_MAX]
        return ParkedSerializer(rows, many=True).data


class NewRun(serializers.Serializer[Any]):
    date = serializers.DateField(
        required=False, help_text="The business date by default."
    )


class PreviewSerializer(serializers.Serializer[Any]):
    date = serializers.DateField(source="day")
    customers = serializers.IntegerField()
    invoices = serializers.IntegerField()
    lines = serializers.IntegerField()
    parked = serializers.IntegerField()
    complete = serializers.BooleanField(
        help_text="False where only the first customers were looked at."
    )
    totals = serializers.ListField(child=MoneyField(), help_text="Tax included.")


class RunViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Bill runs, the newest first. The run's job shows its progress."""

    queryset = BillingRun.objects.none()
    serializer_class = RunDetailSerializer
    permission_by_action = {
        "list": "billing.view_run",
        "retrieve": "billing.view_run",
        "preview": "billing.view_run",
        "create": "billing.run_billing",
    }

    def get_serializer_class(self) -> type[RunSerializer]:
        return RunSerializer if self.action == "list" else RunDetailSerializer

    def rows(self, actor: Actor, permission: str) -> QuerySet[BillingRun]:
        return selectors.runs_visible_to(actor, permission)

    @extend_schema(request=NewRun, responses={202: RunDetailSerializer})
    def create(self, request: Request) -> Response:
        """Start a run for the day, or go on with the one of that day."""
        now = timezone.now()
        selectors.require_everything(self.actor, "billing.run_billing")
        run = operations.start_run(
            day=self.body(NewRun).get("date") or ops_selectors.business_date(now=now),
            actor=self.actor,
            now=now,
        )
        transaction.on_commit(lambda: work_run.delay(run_id=run.pk))
        return self.answer(run, status=202)

    @extend_schema(
        parameters=[OpenApiParameter("date", type=str, required=False)],
        responses=PreviewSerializer,
    )
    @action(detail=False, methods=["get"])
    def preview(self, request: Request) -> Response:
        """What a run on the day would bill; nothing is written."""
        body = NewRun(data=request.query_params)
        body.is_valid(raise_exception=True)
        selectors.require_everything(self.actor, "billing.view_run")
        day = body.validated_data.get("date") or ops_selectors.business_date(
            now=timezone.now()
        )
        return Response(PreviewSerializer(selectors.preview_run(day=day)).data)
