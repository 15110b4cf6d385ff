"""Roles, rules, and the answers to who may do what and why."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.api.access_serializers import (
    NewRole,
    RoleChanges,
    RoleSerializer,
    RuleSerializer,
    RuleStateBody,
    RuleStepBody,
    RuleStepChoice,
    RuleStepSerializer,
    RuleText,
    RuleTryBody,
    TrialSerializer,
    WhatSerializer,
    WhoSerializer,
)
from apps.identity.enums import RuleState
from apps.identity.models import AccessRule, Customer, Role, User
from apps.identity.rules.roles import ROLES
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin
from dotmac.core.errors import NotFound
from dotmac.core.permissions import is_grantable


class RoleViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Named sets of permissions: those of DotMac, and the operator's own."""

    queryset = Role.objects.none()
    serializer_class = RoleSerializer
    permission_by_action = {
        "list": "identity.view_staff",
        "retrieve": "identity.view_staff",
        "create": "identity.manage_roles",
        "partial_update": "identity.manage_roles",
        "destroy": "identity.manage_roles",
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Role]:
        return selectors.roles_visible_to(actor, permission)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Permissions of one page of roles are read at once."""
        given = args[0] if args else []
        shown = given if isinstance(given, list) else [given]
        kwargs["context"] = {
            **self.get_serializer_context(),
            "permissions": selectors.permissions_of_roles([row.pk for row in shown]),
            "built_in": {rule.slug for rule in ROLES},
        }
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=NewRole, responses={201: RoleSerializer})
    def create(self, request: Request) -> Response:
        """A role of your own; it holds no more than you do."""
        role = operations.create_role(
            **self.body(NewRole), actor=self.actor, now=timezone.now()
        )
        return self.answer(role, status=201)

    @extend_schema(request=RoleChanges, responses=RoleSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Another name or other permissions; problem `built_in_role` for ours."""
        role = operations.change_role(
            role_id=self.get_object().pk,
            **self.body(RoleChanges),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(role)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Forget a role that nobody holds."""
        operations.delete_role(
            role_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)


class AccessRuleViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """Conditions that take permissions away for the moment."""

    queryset = AccessRule.objects.none()
    serializer_class = RuleSerializer
    permission_by_action = {
        "list": "identity.view_rule",
        "retrieve": "identity.view_rule",
        "create": "identity.manage_rules",
        "partial_update": "identity.manage_rules",
        "destroy": "identity.manage_rules",
        "state": "identity.manage_rules",
        "try_out": "identity.view_rule",
        "ask": "identity.manage_rules",
        "approve": "identity.approve_rule",
        "decline": "identity.approve_rule",
        "withdraw": "identity.manage_rules",
    }
    filters = {"state": filters.exact("state", RuleState)}

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessRule]:
        return selectors.rules_visible_to(actor, permission)

    @extend_schema(request=RuleText, responses={201: RuleSerializer})
    def create(self, request: Request) -> Response:
        """A draft. Problem `expression_refused` has `line` and `column`."""
        rule = operations.create_rule(
            **self.body(RuleText), actor=self.actor, now=timezone.now()
        )
        return self.answer(rule, status=201)

    @extend_schema(request=RuleText, responses=RuleSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Another text, whole, for a rule that is not on."""
        rule = operations.change_rule(
            rule_id=self.get_object().pk,
            **self.body(RuleText),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(rule)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Forget a rule that is not on."""
        operations.delete_rule(
            rule_id=self.get_object().pk, actor=self.actor, now=timezone.now()
        )
        return Response(status=204)

    @extend_schema(request=RuleStateBody, responses=RuleSerializer)
    @action(detail=True, methods=["post"])
    def state(self, request: Request, pk: str) -> Response:
        """Put it on trial, or back to a draft."""
        rule = operations.set_rule_state(
            rule_id=self.get_object().pk,
            **self.body(RuleStateBody),
            actor=self.actor,
            now=timezone.now(),
        )
        return self.answer(rule)

    @extend_schema(request=RuleTryBody, responses=TrialSerializer)
    @action(detail=True, methods=["post"], url_path="try")
    def try_out(self, request: Request, pk: str) -> Response:
        """Whom the rule, or the text that a step asks for, would have refused in a week."""
        rule, wanted = self.get_object(), self.body(RuleTryBody)
        step = None
        if "step" in wanted:
            step = selectors.steps_of(rule.pk).filter(pk=wanted["step"]).first()
            if step is None:
                raise NotFound
        trial = selectors.try_rule(rule, now=timezone.now(), step=step)
        return Response(TrialSerializer(trial).data)

    @extend_schema(request=RuleStepBody, responses={201: RuleStepSerializer})
    @action(detail=True, methods=["post"])
    def ask(self, request: Request, pk: str) -> Response:
        """Ask to switch it on or off, or to change it while it is on."""
        asked = operations.ask_rule_step(
            rule_id=self.get_object().pk,
            **self.body(RuleStepBody),
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(RuleStepSerializer(asked).data, status=201)

    @extend_schema(request=RuleStepChoice, responses=RuleStepSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Do what a colleague asked; problem `same_person` for one's own wish."""
        done = operations.approve_rule_step(
            step_id=self._step_id(), actor=self.actor, now=timezone.now()
        )
        return Response(RuleStepSerializer(done).data)

    @extend_schema(request=RuleStepChoice, responses=RuleStepSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Leave the rule as it is."""
        left = operations.decline_rule_step(
            step_id=self._step_id(), actor=self.actor, now=timezone.now()
        )
        return Response(RuleStepSerializer(left).data)

    @extend_schema(request=RuleStepChoice, responses=RuleStepSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take back what you asked; problem `not_the_asker` for a colleague's wish."""
        left = operations.withdraw_rule_step(
            step_id=self._step_id(), actor=self.actor, now=timezone.now()
        )
        return Response(RuleStepSerializer(left).data)

    def _step_id(self) -> int:
        """The wish that the body names, when it is one for this rule."""
        rule, step_id = self.get_object(), self.body(RuleStepChoice)["step"]
        if not selectors.steps_of(rule.pk).filter(pk=step_id).exists():
            raise NotFound
        return int(step_id)


def _query(name: str, kind: Any, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, required=True, description=text)


class AccessViewSet(ApiViewSet):
    """Who may do a thing to a customer, and what a person may do."""

    queryset = Customer.objects.none()
    serializer_class = WhoSerializer
    permission_by_action = {
        "explain": "identity.view_access",
        "of": "identity.view_access",
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Customer]:
        return selectors.customers_visible_to(actor, permission)

    @extend_schema(
        parameters=[
            _query("permission", OpenApiTypes.STR, "Such as billing.view_invoice."),
            _query("customer", OpenApiTypes.INT, "Its id."),
        ],
        responses=WhoSerializer,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def explain(self, request: Request) -> Response:
        """Everybody who may, each with every path, and the rules that speak of it."""
        permission = self._given("permission")
        if not is_grantable(permission):
            raise ValidationError({"permission": [_("There is no such permission.")]})
        customer = get_object_or_404(self.get_queryset(), pk=self._number("customer"))
        answer = {
            "permission": permission,
            "customer": customer.pk,
            "paths": selectors.who_may(permission, customer),
            "rules": selectors.rules_about([permission], self.actor),
        }
        return Response(WhoSerializer(answer).data)

    @extend_schema(
        parameters=[_query("user", OpenApiTypes.INT, "Its id.")],
        responses=WhatSerializer,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def of(self, request: Request) -> Response:
        """What a person holds within your reach, from where, and the rules about it.

        Rules are listed for those who may see rules.
        """
        people: QuerySet[User] = selectors.people_visible_to(
            self.actor, "identity.view_access"
        )
        user = get_object_or_404(people, pk=self._number("user"))
        held = selectors.what_may(user, self.actor, "identity.view_access")
        answer = {
            "user": user.pk,
            "username": user.username,
            "held": held,
            "rules": selectors.rules_about(
                {one.permission for one in held}, self.actor
            ),
        }
        return Response(WhatSerializer(answer).data)

    def _given(self, name: str) -> str:
        value = str(self.request.query_params.get(name, ""))
        if not value or len(value) > filters.TEXT_MAX or "\x00" in value:
            raise ValidationError({name: [_("Give a value.")]})
        return value

    def _number(self, name: str) -> int:
        value = self._given(name)
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise ValidationError({name: [_("A whole number.")]})
        return int(value)
