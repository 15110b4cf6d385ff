from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.identity.enums import RuleEffect, RuleState, RuleStep
from apps.identity.models import AccessRule, AccessRuleStep, Role

_NAMES_MAX = 500


class RoleSerializer(serializers.ModelSerializer[Role]):
    permissions = serializers.SerializerMethodField()
    built_in = serializers.SerializerMethodField()

    class Meta:
        model = Role
        fields = (
            "id", "slug", "name", "built_in", "permissions", "created_at", "updated_at",
        )  # fmt: skip

    def get_permissions(self, role: Role) -> list[str]:
        held: dict[int, list[str]] = self.context["permissions"]
        return held.get(role.pk, [])

    def get_built_in(self, role: Role) -> bool:
        return bool(role.slug in self.context["built_in"])


class NewRole(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=100), max_length=_NAMES_MAX
    )


class RoleChanges(serializers.Serializer[Any]):
    """Body of PATCH: what is left out stays."""

    name = serializers.CharField(max_length=80, required=False)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=_NAMES_MAX,
        required=False,
    )


class RuleStepSerializer(serializers.ModelSerializer[AccessRuleStep]):
    rule = serializers.IntegerField(source="rule_id")
    asked_by = serializers.IntegerField(source="asked_by_id", allow_null=True)
    decided_by = serializers.IntegerField(source="decided_by_id", allow_null=True)

    class Meta:
        model = AccessRuleStep
        fields = (
            "id", "rule", "step", "values", "outcome", "asked_by", "asked_at",
            "decided_by", "decided_at", "alone",
        )  # fmt: skip


class RuleSerializer(serializers.ModelSerializer[AccessRule]):
    class Meta:
        model = AccessRule
        fields = (
            "id", "slug", "name", "why", "effect", "permissions", "expression", "state",
            "changed_by", "created_at", "updated_at",
        )  # fmt: skip


class RuleText(serializers.Serializer[Any]):
    """What a person writes; the operation judges it."""

    name = serializers.CharField(max_length=120)
    why = serializers.CharField(
        max_length=300, help_text="What the refused person reads."
    )
    effect = serializers.ChoiceField(choices=RuleEffect.choices)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=50,
        help_text="Names or patterns such as billing.*",
    )
    expression = serializers.CharField(max_length=2048, trim_whitespace=False)


class RuleStateBody(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=[(s.value, s.label) for s in (RuleState.DRAFT, RuleState.TRIAL)]
    )


class RuleStepChoice(serializers.Serializer[Any]):
    """Which wish is decided: what was read, not what may have come since."""

    step = serializers.IntegerField(min_value=1, help_text="Id of what was asked.")


class RuleTryBody(serializers.Serializer[Any]):
    step = serializers.IntegerField(
        min_value=1, required=False, help_text="Try the text that this step asks for."
    )


class RuleStepBody(serializers.Serializer[Any]):
    step = serializers.ChoiceField(choices=RuleStep.choices)
    text = RuleText(required=False, help_text="For a change.")


class ExampleSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_label")
    permission = serializers.CharField()
    facts = serializers.DictField()


class TrialSerializer(serializers.Serializer[Any]):
    """The rule against the past week."""

    looked_at = serializers.IntegerField()
    asked = serializers.IntegerField()
    refused = serializers.IntegerField()
    erred = serializers.IntegerField()
    capped = serializers.BooleanField()
    people = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()
    examples = ExampleSerializer(many=True)

    def get_people(self, trial: Any) -> dict[str, int]:
        return dict(trial.people)

    def get_permissions(self, trial: Any) -> dict[str, int]:
        return dict(trial.permissions)


class PathSerializer(serializers.Serializer[Any]):
    user = serializers.IntegerField(source="user_id")
    username = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    how = serializers.CharField()
    through = serializers.CharField()
    where = serializers.CharField()


class RuleBrief(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    why = serializers.CharField()
    effect = serializers.CharField()
    expression = serializers.CharField()
    state = serializers.CharField()


class WhoSerializer(serializers.Serializer[Any]):
    """Everybody who may do it to the customer, each with every path."""

    permission = serializers.CharField()
    customer = serializers.IntegerField()
    paths = PathSerializer(many=True)
    rules = RuleBrief(many=True)


class HeldSerializer(serializers.Serializer[Any]):
    permission = serializers.CharField()
    meaning = serializers.CharField()
    how = serializers.CharField()
    through = serializers.CharField()
    where = serializers.CharField()
    idle = serializers.BooleanField()


class WhatSerializer(serializers.Serializer[Any]):
    """What a person holds, from where, and the rules that speak of it."""

    user = serializers.IntegerField()
    username = serializers.CharField()
    held = HeldSerializer(many=True)
    rules = RuleBrief(many=True)
