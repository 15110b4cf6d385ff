"""Rules that take permissions away for the moment, and what was decided."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.identity.enums import RuleEffect, RuleState, RuleStep, StepOutcome
from dotmac.core.models import Record


class AccessRuleQuerySet(models.QuerySet["AccessRule"]):
    def locked(self) -> Self:
        """Rows held until commit, in the order of their keys."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class AccessRule(Record):
    """A condition under which permissions are refused, for all rows alike.

    `why` is what the refused person reads.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    why = models.CharField(max_length=300)
    effect = models.CharField(max_length=16, choices=RuleEffect)
    permissions = ArrayField(models.CharField(max_length=100), size=50)
    expression = models.TextField()
    state = models.CharField(
        max_length=16, choices=RuleState, default=RuleState.DRAFT
    )  # fmt: skip
    changed_by = models.CharField(max_length=200)

    objects = AccessRuleQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_accessrule_names_permissions",
                condition=Q(permissions__len__gt=0),
            ),
            models.CheckConstraint(
                name="identity_accessrule_state_known",
                condition=Q(state__in=RuleState.values),
            ),
            models.CheckConstraint(
                name="identity_accessrule_effect_known",
                condition=Q(effect__in=RuleEffect.values),
            ),
        )

    def __str__(self) -> str:
        return self.slug


class AccessRuleStep(Record):
    """Something that one person asked for a rule and another decides."""

    rule = models.ForeignKey(AccessRule, models.CASCADE, related_name="+")
    step = models.CharField(max_length=16, choices=RuleStep)
    # For a change: the new name, why, effect, permissions and expression.
    values = models.JSONField(default=dict)
    outcome = models.CharField(
        max_length=16, choices=StepOutcome, default=StepOutcome.ASKED
    )
    asked_by = models.ForeignKey(
        "identity.User", models.PROTECT, related_name="+", null=True
    )
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        "identity.User", models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    # Nobody else held the permission, so the person who asked approved.
    alone = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("rule",),
                condition=Q(outcome=StepOutcome.ASKED),
                name="identity_accessrulestep_one_open",
            ),
            models.CheckConstraint(
                name="identity_accessrulestep_four_eyes",
                condition=~Q(outcome=StepOutcome.APPROVED)
                | Q(alone=True)
                | ~Q(asked_by=models.F("decided_by")),
            ),
            models.CheckConstraint(
                name="identity_accessrulestep_decided_has_time",
                condition=Q(outcome=StepOutcome.ASKED, decided_at__isnull=True)
                | (~Q(outcome=StepOutcome.ASKED) & Q(decided_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.step} of rule {self.rule_id}"


class AccessDecision(models.Model):
    """One act that was let through or refused, with the facts that rules saw."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_label = models.CharField(max_length=200)
    permission = models.CharField(max_length=100)
    granted = models.BooleanField()
    # The rule's slug, "step_up", "out_of_reach", or nothing where it is not held.
    rule = models.CharField(max_length=60, blank=True)
    facts = models.JSONField()
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    # Rules on trial that would have refused, and rules that erred.
    would_refuse = ArrayField(models.CharField(max_length=60), default=list)
    erred = ArrayField(models.CharField(max_length=60), default=list)
    # Looking at things is written down once an hour: what makes it one.
    once = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("at",), name="identity_accessdecision_at"),
            models.Index(
                fields=("actor_id", "id"), name="identity_accessdecision_actor"
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("once",), name="identity_accessdecision_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor_label} {self.permission}"
