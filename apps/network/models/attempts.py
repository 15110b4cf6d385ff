"""What RADIUS decided, and why: read from the servers' spool, never on the hot path."""

from __future__ import annotations

from django.db import models

from apps.network.enums import AttemptReason


class AccessAttempt(models.Model):
    """One login attempt and its answer; under a storm, one of `sample_of` such.

    The reason stays here: the wire carries none.
    """

    id = models.BigAutoField(primary_key=True)
    decided_at = models.DateTimeField()
    account = models.ForeignKey(
        "network.AccessAccount",
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    nas = models.ForeignKey(
        "network.Nas",
        models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    login = models.CharField(max_length=253)
    mac = models.CharField(max_length=64, blank=True, default="", db_default="")
    accepted = models.BooleanField()
    reason = models.CharField(max_length=16, choices=AttemptReason.choices)
    # The hold that refused it, or that limits what was given.
    hold_reason = models.CharField(max_length=16, blank=True, default="", db_default="")
    sample_of = models.PositiveIntegerField(default=1, db_default=1)
    # From the packet to the decision; a reject waits on after it.
    took_us = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = "login attempt"
        constraints = (
            models.CheckConstraint(
                name="network_accessattempt_reason_known",
                condition=models.Q(reason__in=AttemptReason.values),
            ),
        )
        indexes = (
            models.Index(
                name="network_attempt_of_account", fields=("account", "-decided_at")
            ),
            models.Index(
                name="network_attempt_of_login",
                fields=("login", "-decided_at"),
            ),
            models.Index(
                name="network_attempt_of_mac",
                fields=("mac", "-decided_at"),
                condition=~models.Q(mac=""),
            ),
            models.Index(name="network_attempt_of_nas", fields=("nas", "-decided_at")),
            models.Index(name="network_attempt_newest", fields=("-decided_at", "-id")),
        )

    def __str__(self) -> str:
        return f"{self.login} {self.reason}"


class AttemptBatch(models.Model):
    """A spool file that was read: reading it again adds nothing.

    `decided` is how many decisions it stood for, `lost` how many lines of it went
    unread because the spool was larger than it may be.
    """

    name = models.CharField(max_length=120, primary_key=True)
    read_at = models.DateTimeField()
    decided = models.PositiveIntegerField(default=0, db_default=0)
    lost = models.PositiveIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return self.name
