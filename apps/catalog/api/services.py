"""Services, their sessions and their usage."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import operations, selectors
from apps.catalog.api.serializers import (
    CredentialsSerializer,
    ExtendSerializer,
    JobStartedSerializer,
    NewServiceSerializer,
    ProvisioningSerializer,
    ResumeSerializer,
    ServiceSerializer,
    SuspendSerializer,
)
from apps.catalog.api.sessions import UsageMixin
from apps.catalog.enums import ShownState
from apps.catalog.errors import UnknownCustomer, UnknownPlan, UnknownProvisioningJob
from apps.catalog.models import Service
from apps.identity import selectors as identity
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ID_MAX, ApiViewSet


class ServiceViewSet(UsageMixin, ApiViewSet):
    """Customers' instances of plans: order, provision, suspend, resume, end."""

    queryset = Service.objects.none()
    serializer_class = ServiceSerializer
    permission_by_action = {
        "list": "catalog.view_service",
        "retrieve": "catalog.view_service",
        "create": "catalog.order_service",
        "provision": "catalog.provision_service",
        "provisioning": "catalog.view_service",
        "retry": "catalog.provision_service",
        "cancel": "catalog.provision_service",
        "suspend": "catalog.suspend_service",
        "resume": "catalog.resume_service",
        "extend": "catalog.extend_service",
        "terminate": "catalog.terminate_service",
        "usage": "catalog.view_service",
        "credentials": "catalog.reveal_credentials",
    }
    filters = {
        "customer": filters.number("customer_id"),
        "plan": filters.exact("plan__slug"),
        "state": filters.Filter(
            lambda state: selectors.in_shown_state(state, now=timezone.now()),
            {"type": "string", "enum": ShownState.values},
            "As shown: suspended, walled_garden and throttled come from holds.",
        ),
        "reference": filters.exact("reference"),
        "login": filters.search(selectors.with_login, "The whole login."),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Service]:
        return selectors.services_visible_to(actor, permission)

    @extend_schema(responses=ServiceSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        views = selectors.views_of(page or [])
        shown = [views[row.pk] for row in page or []]
        data = self.get_serializer(shown, many=True).data
        return self.get_paginated_response(data)

    @extend_schema(responses=ServiceSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.shown(self.get_object().pk)

    @extend_schema(request=NewServiceSerializer, responses={201: ServiceSerializer})
    def create(self, request: Request) -> Response:
        """Order a plan for a customer; the service waits to be provisioned."""
        body = self.body(NewServiceSerializer)
        service = operations.order_service(
            customer_id=self._customer_id(body["customer"]),
            plan_id=_plan_id(body["plan"]),
            location_id=body.get("location"),
            login=body.get("login"),
            password=body.get("password"),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.shown(service.pk, status=201)

    @extend_schema(request=None, responses={202: JobStartedSerializer})
    @action(detail=True, methods=["post"])
    def provision(self, request: Request, pk: str) -> Response:
        """Put it on the network. Repeating it returns the same job."""
        job = operations.provision_service(
            service_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return _started(job)

    @extend_schema(request=None, responses=ProvisioningSerializer)
    @action(detail=True, methods=["get"])
    def provisioning(self, request: Request, pk: str) -> Response:
        """The latest provisioning job, step by step."""
        return Response(_steps(self._job_id()))

    @extend_schema(request=None, responses={202: JobStartedSerializer})
    @action(detail=True, methods=["post"], url_path="provisioning/retry")
    def retry(self, request: Request, pk: str) -> Response:
        """Carry the failed job on from the step that failed."""
        job = operations.retry_provisioning(
            job_id=self._job_id(), actor=self.actor, now=timezone.now()
        )
        return _started(job)

    @extend_schema(request=None, responses=ProvisioningSerializer)
    @action(detail=True, methods=["post"], url_path="provisioning/cancel")
    def cancel(self, request: Request, pk: str) -> Response:
        """Give the job up and undo what it did; the service waits again."""
        job = operations.cancel_provisioning(
            job_id=self._job_id(), actor=self.actor, now=timezone.now()
        )
        return Response(_steps(job.pk))

    @extend_schema(request=SuspendSerializer, responses=ServiceSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        service = operations.suspend_service(
            service_id=self.get_object().pk,
            **self.body(SuspendSerializer),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.shown(service.pk)

    @extend_schema(request=ResumeSerializer, responses=ServiceSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Lift the hold of one reason; others stay."""
        service = operations.resume_service(
            service_id=self.get_object().pk,
            **self.body(ResumeSerializer),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.shown(service.pk)

    @extend_schema(request=ExtendSerializer, responses=ServiceSerializer)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str) -> Response:
        """Let a prepaid service run until the instant."""
        service = operations.extend_service(
            service_id=self.get_object().pk,
            **self.body(ExtendSerializer),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.shown(service.pk)

    @extend_schema(request=None, responses=ServiceSerializer)
    @action(detail=True, methods=["post"])
    def terminate(self, request: Request, pk: str) -> Response:
        """End it for good."""
        service = operations.terminate_service(
            service_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return self.shown(service.pk)

    @extend_schema(request=None, responses=CredentialsSerializer)
    @action(detail=True, methods=["get"])
    def credentials(self, request: Request, pk: str) -> Response:
        """Login and password in clear; every look is recorded."""
        found = operations.reveal_credentials(
            service_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        response = Response({"login": found.login, "password": found.password})
        response["Cache-Control"] = "no-store"
        return response

    def shown(self, service_id: int, *, status: int = 200) -> Response:
        """The service as people see it."""
        view = selectors.service_view(service_id)
        return Response(self.get_serializer(view).data, status=status)

    def _customer_id(self, key: str) -> int:
        """A customer whom the actor may order for; others do not exist to it."""
        rows = identity.customers_visible_to(self.actor, "catalog.order_service")
        found = rows.filter(_by_key(key)).values_list("pk", flat=True)
        customer_id = found.first()
        if customer_id is None:
            raise UnknownCustomer(field="customer")
        return int(customer_id)

    def _job_id(self) -> int:
        job = selectors.latest_provisioning_of(self.get_object().pk)
        if job is None:
            raise UnknownProvisioningJob
        return job.pk


def _by_key(key: str) -> Q:
    if key.isascii() and key.isdigit():
        return Q(pk=min(int(key), ID_MAX))
    return Q(reference=key.upper())


def _plan_id(key: str) -> int:
    plan = selectors.find_plan(key)
    if plan is None:
        raise UnknownPlan(field="plan")
    return plan.pk


def _started(job: Any) -> Response:
    return Response(
        {"job": job.pk, "state": job.state},
        status=202,
        headers={"Location": f"/api/v1/jobs/{job.pk}"},
    )


def _steps(job_id: int) -> Any:
    job = selectors.provisioning_job(job_id)
    steps = selectors.steps_of(job_id)
    return ProvisioningSerializer(
        {
            "pk": job.pk,
            "job_id": job.job_id,
            "state": job.state,
            "finished_at": job.finished_at,
            "steps": steps,
        }
    ).data
